"""The frozen things that are stored: accounts, bills, notices, payments, links, organizations."""
