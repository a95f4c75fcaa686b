"""What the scripted models behind the server say; a test of the server knows them by these names."""

DRAFT = "the DRAFT answer"
LARGE = "the LARGE answer"
SMALL_IN_CHINESE = "the DRAFT answer to a prompt in Chinese"
FOLLOW_UP = "And this?"
STANDALONE = "Is this hard?"
