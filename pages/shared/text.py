"""What comes from outside (names, types, paths, reasons) in Streamlit's Markdown: as it is, never as markup."""

import re

_JOINER = "\u2060"  # word joiner: takes no room
_MARKUP = re.compile(r"[\\`*_\[\]<~$|&]|^[-+#>=]|^\d+[.)]")
#: What Streamlit replaces or links after the Markdown is read, where no backslash helps.
_REPLACED = re.compile(r":(?=\S)|@|(?<=[Ww])(?=[Ww][Ww]\.)|(?<=-)(?=[->])|(?<=<)(?=-)|(?<=[<>~])(?==)")


def plain(text: object) -> str:
    """A text that reads the same once its Markdown is shown; line breaks become blanks."""
    apart = _REPLACED.sub(lambda found: found.group() + _JOINER, " ".join(str(text).split()))
    return _MARKUP.sub(lambda found: f"{found.group()[:-1]}\\{found.group()[-1]}", apart)
