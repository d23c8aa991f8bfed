"""The import pages of the office: file, columns, preview, progress, report (F-05, S-07 step 3)."""
