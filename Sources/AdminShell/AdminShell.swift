// AdminShell
