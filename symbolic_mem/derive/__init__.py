"""The reasons: steps from terms to answers, as data without markup."""
