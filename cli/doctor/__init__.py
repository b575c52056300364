"""`dunlin doctor`: reads the account and the stack, and says what is missing and how to mend it. It changes nothing."""
