"""Import of customers and invoices from the CSV files other systems export."""
