"""What a text may hold: the form of order, payment and refund numbers (R6), and characters that nobody can see."""

import re

NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{1,32}", re.ASCII)
WHAT_A_NUMBER_IS = "a number has 1 to 32 characters of 0-9 A-Z a-z _ - | * @"

# Controls, invisible formatting, lone surrogates, private use and unassigned: no name on an ID card holds one.
UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
