"""What a file can hold: the fields of customers and of invoices, and how other systems head their columns."""

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Kind = Literal["customers", "invoices"]
Content = Literal["text", "email", "phone", "money", "number", "date", "postal_code"]


@dataclass(frozen=True)
class Field:
    """One field a column can feed; `spellings` are headers seen in exports, the usual one first."""

    key: str
    label: str | Promise
    spellings: tuple[str, ...]
    content: Content = "text"


def _field(key: str, label: str | Promise, spellings: str, content: Content = "text") -> Field:
    return Field(key, label, tuple(" ".join(spellings.split()).split("|")), content)


CUSTOMER_FIELDS: tuple[Field, ...] = (
    _field(
        "external_id",
        _("Customer ID"),
        "customer id|customer number|customer no|customer #|account number|account no|account #"
        "|account id|client id|id|external id|hcp id|j-id|servicetitan id|record id|cust id"
        "|id cliente|numero de cliente|codigo cliente",
    ),
    _field(
        "name",
        _("Name"),
        "name|customer name|display name|customer|full name|client name|client|account name"
        "|customer full name|customer display name|nombre|nombre completo|cliente"
        "|nombre del cliente",
    ),
    _field(
        "kind",
        _("Person or company"),
        "customer type|type|kind|client type|account type|residential/commercial|class|tipo|tipo de cliente",
    ),
    _field(
        "company",
        _("Company"),
        "company|company name|business name|organization|business|empresa|compania|razon social",
    ),
    _field(
        "first_name",
        _("First name"),
        "first name|first|given name|contact first name|nombre de pila|primer nombre",
    ),
    _field("last_name", _("Last name"), "last name|last|surname|family name|contact last name|apellido|apellidos"),
    _field(
        "email",
        _("E-mail"),
        "email|e-mail|email address|main email|primary email|customer email|emails|e-mails"
        "|contact email|billing email|work email|correo|correo electronico|e-mail address",
        "email",
    ),
    _field(
        "email2",
        _("Second e-mail"),
        "email 2|secondary email|cc email|other email|additional email|alternate email|email2"
        "|home email|alt email|otro correo|correo 2|segundo correo",
        "email",
    ),
    _field(
        "phone",
        _("Phone"),
        "phone|phone number|main phone|primary phone|home phone|home number|telephone|phone 1"
        "|work phone|phone numbers|business phone|customer phone|daytime phone|telefono|tel",
        "phone",
    ),
    _field(
        "mobile",
        _("Mobile phone"),
        "mobile|mobile phone|mobile number|cell|cell phone|alt phone|alt. phone|phone 2"
        "|sms number|text enabled phone|secondary phone|celular|movil|telefono movil",
        "phone",
    ),
    _field(
        "billing_street",
        _("Billing street"),
        "billing address|bill address|billing street|street|address|address line 1|street address"
        "|billing address 1|billing street 1|billing address line 1|bill to|street 1|address 1"
        "|bill to 1|address 1 street line 1|bill addr line 1|customer street|direccion|calle"
        "|direccion de facturacion",
    ),
    _field(
        "billing_street2",
        _("Billing street, second line"),
        "billing address 2|billing street 2|address line 2|street 2|address 2|unit|apt|suite"
        "|billing address line 2|bill addr line 2|apartment|direccion 2|apartamento|billing unit",
    ),
    _field(
        "billing_city",
        _("Billing city"),
        "billing city|city|address 1 city|bill city|customer city|town|ciudad|localidad",
    ),
    _field(
        "billing_state",
        _("Billing state"),
        "billing state|state|address 1 state|bill state|billing province|province|state/province"
        "|region|customer state|estado|provincia",
    ),
    _field(
        "billing_postal_code",
        _("Billing ZIP code"),
        "billing zip|zip|address 1 zip|zip code|bill zip|billing zip code|postal code"
        "|billing postal code|zip/postal code|postcode|customer zip|zipcode|codigo postal|cp",
        "postal_code",
    ),
    _field("billing_country", _("Billing country"), "billing country|country|bill country|pais"),
    _field(
        "service_name",
        _("Service location name"),
        "location name|service location name|property name|service location|site name"
        "|service address name|nombre de la ubicacion|ubicacion",
    ),
    _field(
        "service_street",
        _("Service street"),
        "service address|service street|location address|property address|service street 1"
        "|ship to|shipping address|service address 1|location street|property street"
        "|service address line 1|service property street 1|job address|shipping street"
        "|ship addr line 1|direccion de servicio",
    ),
    _field(
        "service_street2",
        _("Service street, second line"),
        "service address 2|service street 2|location unit|property address 2"
        "|service address line 2|location street 2|service property street 2|shipping address 2"
        "|ship addr line 2|service unit|property street 2",
    ),
    _field(
        "service_city",
        _("Service city"),
        "service city|location city|property city|shipping city|service property city|ship city|ciudad de servicio",
    ),
    _field(
        "service_state",
        _("Service state"),
        "service state|location state|property state|shipping state|service province"
        "|service property state|service property province|ship state|estado de servicio",
    ),
    _field(
        "service_postal_code",
        _("Service ZIP code"),
        "service zip|location zip|property zip|shipping zip|service zip code|service postal code"
        "|location zip code|property postal code|service property zip"
        "|service property postal code|ship zip|codigo postal de servicio",
        "postal_code",
    ),
    _field(
        "service_country",
        _("Service country"),
        "service country|location country|property country|shipping country|service property country|ship country",
    ),
    _field("tags", _("Tags"), "tags|customer tags|labels|tag|etiquetas|groups"),
    _field(
        "notes",
        _("Notes (office only)"),
        "notes|customer notes|note|comments|memo|private notes|notas|comentarios",
    ),
    _field("language", _("Language"), "language|preferred language|idioma|lengua|locale"),
)

INVOICE_FIELDS: tuple[Field, ...] = (
    _field(
        "external_id",
        _("Invoice ID"),
        "invoice id|external id|id|transaction id|txn id|record id|invoice uuid|hcp invoice id|id factura",
    ),
    _field(
        "number",
        _("Invoice number"),
        "invoice number|invoice no|invoice #|number|num|no|no.|doc number|document number"
        "|ref number|invoice|ref no|job #|numero de factura|numero|factura|folio|no. factura",
    ),
    _field(
        "customer_external_id",
        _("Customer ID"),
        "customer id|customer number|customer #|customer no|account number|account no|client id"
        "|account id|cust id|bill to id|id cliente|numero de cliente",
    ),
    _field(
        "customer_name",
        _("Customer name"),
        "customer name|customer|client name|client|bill to|name|customer display name"
        "|bill to name|customer full name|account name|display name|cliente|nombre del cliente"
        "|nombre",
    ),
    _field(
        "customer_email",
        _("Customer e-mail"),
        "customer email|email|e-mail|client email|bill email|billing email|email address|correo|correo electronico",
        "email",
    ),
    _field(
        "issued_on",
        _("Invoice date"),
        "invoice date|date|issued date|issue date|issued on|txn date|transaction date|invoiced on"
        "|created date|sent date|date issued|invoiced date|created at|created|fecha"
        "|fecha de factura|fecha de emision",
        "date",
    ),
    _field(
        "due_on",
        _("Due date"),
        "due date|due|due on|payment due|payment due date|date due|fecha de vencimiento|vencimiento|vence",
        "date",
    ),
    _field("status", _("Status"), "status|invoice status|payment status|state|paid|estado|estatus|estado de pago"),
    _field("currency", _("Currency"), "currency|currency code|moneda|divisa"),
    _field(
        "po_number",
        _("PO number"),
        "po number|po #|p.o. number|po no|p. o. number|purchase order|po|customer po|orden de compra",
    ),
    _field(
        "line_description",
        _("Line description"),
        "line description|description|item description|memo/description|item|line item"
        "|product/service|task|item name|line item name|product service description|service"
        "|summary|invoice summary|descripcion|concepto|articulo|line item description"
        "|item (product/service)|itemdescription",
    ),
    _field(
        "quantity",
        _("Quantity"),
        "quantity|qty|item quantity|line quantity|hours|units|itemquantity|cantidad",
        "number",
    ),
    _field(
        "unit_price",
        _("Unit price"),
        "unit price|rate|item rate|unit cost|sales price|price|line unit price|price each"
        "|itemrate|each|precio unitario|precio|tarifa",
        "money",
    ),
    _field(
        "line_total",
        _("Line total"),
        "line total|line amount|amount|item amount|extended price|item total|line item total"
        "|ext price|itemamount|importe|monto|total de linea",
        "money",
    ),
    _field(
        "tax",
        _("Tax"),
        "tax|tax amount|sales tax|total tax|tax total|taxes|taxamount|vat|gst|impuesto|impuestos|iva",
        "money",
    ),
    _field(
        "discount",
        _("Discount"),
        "discount|discount amount|discounts|total discount|discount total|descuento|descuentos",
        "money",
    ),
    _field(
        "subtotal",
        _("Subtotal"),
        "subtotal|sub total|sub-total|pre tax total|pre-tax total ($)|total before tax|net amount|subtotal amount",
        "money",
    ),
    _field(
        "total",
        _("Invoice total"),
        "total|invoice total|total amount|grand total|amount due total|invoice amount|total ($)"
        "|total price|gross amount|total factura|importe total|monto total|job amount",
        "money",
    ),
    _field(
        "amount_paid",
        _("Amount paid"),
        "amount paid|paid amount|paid|payments|payment total|total paid|paid to date|payments total"
        "|payment amount|payment|amount received|pagado|monto pagado|importe pagado|pagos",
        "money",
    ),
    _field(
        "balance",
        _("Balance due"),
        "balance|balance due|amount due|open balance|due amount|outstanding|outstanding balance"
        "|remaining balance|remaining|balance ($)|saldo|saldo pendiente|por pagar"
        "|amount outstanding",
        "money",
    ),
    _field(
        "note",
        _("Note for the customer"),
        "note|message|customer message|invoice message|message on invoice|customer note"
        "|client message|notes|memo|msg to customer|nota|mensaje|public note|notas",
    ),
)

FIELDS: dict[Kind, tuple[Field, ...]] = {"customers": CUSTOMER_FIELDS, "invoices": INVOICE_FIELDS}


def fields_by_key(kind: Kind) -> dict[str, Field]:
    """Return the fields of a kind by their key, in the order in which people read them."""
    return {field.key: field for field in FIELDS[kind]}
