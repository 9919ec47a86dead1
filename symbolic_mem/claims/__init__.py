"""Claims about a study, and the slips that turn a right number into a claimed one."""
