"""Forms shaped like the real ones, to draw fields in every state."""

from django import forms

TRADES = [
    ("hvac", "Heating, air"),
    ("plumbing", "Plumbing"),
    ("electric", "Electrical"),
    ("appliance", "Appliances"),
    ("roof", "Roofing"),
    ("other", "Other"),
]
COLUMNS = [("", "Leave out"), ("name", "Name"), ("email", "E-mail")]


class MailForm(forms.Form):
    """One address, as on the sign-in page."""

    email = forms.EmailField(label="Your e-mail address", help_text="Use the address we send your invoices to.")


class CodeForm(forms.Form):
    """One mailed code."""

    code = forms.RegexField(r"\d{6}", label="6-digit code")


class MailCodeForm(MailForm, CodeForm):
    """One address with its code."""


class StaffForm(forms.Form):
    """Address and password."""

    email = forms.EmailField(label="E-mail")
    password = forms.CharField(label="Password", widget=forms.PasswordInput)


class StartForm(forms.Form):
    """The first form of a sign-up."""

    email = forms.EmailField(label="Work e-mail", help_text="We send a code to it. No newsletter.")
    company = forms.CharField(label="Company name")
    trades = forms.MultipleChoiceField(
        label="What do you do?", choices=TRADES, widget=forms.CheckboxSelectMultiple, required=False
    )
    zone = forms.ChoiceField(label="Time zone", choices=[("America/New_York", "Eastern (Columbus), 9:42 am")])


class AddressForm(forms.Form):
    """The permanent address."""

    slug = forms.RegexField(
        r"[a-z0-9-]{3,40}",
        label="Your portal’s address",
        help_text="Letters, numbers and hyphens, 3 to 40 characters.",
    )
    understood = forms.BooleanField(label="I understand that acme.portal.example is permanent.")


class SettingsForm(forms.Form):
    """A few switches and texts."""

    invoices = forms.BooleanField(label="Invoices", help_text="Issued ones. Drafts never show.", required=False)
    pay = forms.BooleanField(label="Pay by card", help_text="Needs Stripe.", required=False)
    shown = forms.ChoiceField(
        label="Which invoices customers see",
        choices=[("all", "All issued invoices"), ("reviewed", "Only reviewed invoices")],
        widget=forms.RadioSelect,
    )
    message = forms.CharField(label="Announcement", widget=forms.Textarea, required=False)


class UploadForm(forms.Form):
    """Kind and file of an import."""

    kind = forms.ChoiceField(
        label="What is in the file?",
        choices=[("customers", "Customers"), ("invoices", "Invoices")],
        widget=forms.RadioSelect,
    )
    file = forms.FileField(label="CSV file", help_text="The first row holds the column names.")


class MappingForm(forms.Form):
    """Two columns to match."""

    c0 = forms.ChoiceField(label="Column 1", choices=COLUMNS)
    c1 = forms.ChoiceField(label="Column 2", choices=COLUMNS)
