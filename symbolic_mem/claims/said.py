"""A claim as people write and typeset it, put in plain signs: LaTeX, words such as "about" and "at least", other names of units."""

from __future__ import annotations

import re
from fractions import Fraction

from symbolic_mem.base.values import dataclass
from symbolic_mem.claims.laid_out import laid_out
from symbolic_mem.claims.measures import MULTIPLIERS

_LEAST = r"at least|no less than|no fewer than|(?:a\s+)?minimum(?:\s+of)?|>=|=>|≥|⩾"
_MOST = r"at most|up to|no more than|(?:a\s+)?maximum(?:\s+of)?|<=|=<|≤|⩽"
_MORE, _FEWER = r"more than|greater than|larger than|over|above|>", r"less than|fewer than|smaller than|under|below|<"
_BOUNDS = rf"(?P<least>{_LEAST})|(?P<most>{_MOST})|(?P<more>{_MORE})|(?P<fewer>{_FEWER})"
_ABOUT = r"about|approximately|approx\.?|around|roughly|circa|ca\.|nearly|almost|exactly|some|≈|≃|∼|~"
_NEED = (
    r"(?:(?:so|thus|hence)\s+)?(?:we|you|i|one|it)(?:['’](?:d|ll))?\s+(?:will\s+|would\s+)?(?:needs?|requires?|takes?)"
)
_BEFORE = re.compile(rf"\s*(?:{_BOUNDS}|(?:{_ABOUT})|(?:{_NEED})\b)(?=[\s\d.+-])\s*", re.IGNORECASE)
_NAMED_BOUND = re.compile(
    rf"(?P<name>[^\W\d][\w -]*?)\s+(?:(?:is|are|must|should|has|have|to|be)\s+)*(?P<value>(?:{_BOUNDS})\s*\d.*)",
    re.IGNORECASE,
)
_OR_MORE = r"(?P<least>or more|and up|(?:at )?minimum)|(?P<most>or fewer|or less|(?:at )?maximum)"
_AFTER = re.compile(rf"[\s,]+(?:{_OR_MORE})\s*", re.IGNORECASE)
_BETWEEN = re.compile(
    r"(?P<number>[0-9][0-9.,]*)\s+(?P<more>or more|or fewer|or less)\s+(?P<things>[^\W\d].*)", re.IGNORECASE
)
DEVICE = r"(?:device|gpu|tpu|chip|card|accelerator)"  # what people call one
_EACH = re.compile(
    rf"(?<=\w)\s*(?P<each>(?:/|per\s|on each|for each|on every)\s*{DEVICE}|each)\s*",
    re.IGNORECASE,
)
_TOTAL = re.compile(r"(?<=[^\W\d])\s+(?:in total|total|altogether|overall)\s*", re.IGNORECASE)
_ENOUGH = re.compile(
    r"(?<=[^\W\d])\s+(?:(?:is|are)\s+(?:enough|sufficient|needed|required|necessary)|suffices?)\s*", re.IGNORECASE
)
_WORDS_AND_A_SIGN = r"(?:\s+(?:[a-z]{2,}|\d))+\s+(?:=|≈)"  # as in the name of a row: nothing is recomputed = 2142 GiB
_SEPARATED = re.compile(
    rf"\s*(?P<name>[^\W\d][^=≈≥≤:<>]*?)\s*(?:(?P<sign>>=|<=|=>(?!=)|=<(?!=)|≥|≤|≈|(?<!-)>|<)|[:=]=|=|:|(?<!\bthat\s)(?<!\bwhat\s)(?<!\bwhich\s)\b(?:is|are)\b(?!{_WORDS_AND_A_SIGN}))\s*(?P<value>\S.*)",
    re.DOTALL,
)
_HEADED = re.compile(
    r"(?P<name>[^\W\d][^=≈≥≤:<>]*: (?:[^\W\d][^=≈≥≤:<>]*(?=: )|(?=[^=]*[a-z]{3})[A-Za-z][A-Za-z\d ,-]{2,}(?= = )))(?:: | = )(?P<value>[≈\d].*)",
    re.DOTALL,
)  # a row in a row
_SEPARATED_FORMULA = re.compile(
    r"\s*(?P<name>[(⌈⌊√\d](?:[^=≈≥≤:<>]*[*/·×⌉⌋√(+−][^=≈≥≤:<>]*?|[\d,]* [^\W\d](?:_\w+)?))\s*(?P<sign>=|≈)(?!=)\s*(?P<value>\S.*)",
    re.DOTALL,
)
_MARKUP = re.compile(
    r"\\(?:text|textrm|textit|textbf|mathrm|mathit|mathbf|rm|operatorname|emph|underline|boxed|fbox)\s*\{([^{}]*)\}"
)
_LOWERED = re.compile(r"([_^])\s*\{([^{}]*)\}")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_ROOT = re.compile(r"\\sqrt\s*\{([^{}]*)\}")
_COMMANDS = {"times": "×", "cdot": "·", "ast": "*", "div": "/", "approx": "≈", "simeq": "≈", "sim": "≈", "geq": "≥"}
_COMMANDS |= {"ge": "≥", "leq": "≤", "le": "≤", "lceil": "⌈", "rceil": "⌉", "lfloor": "⌊", "rfloor": "⌋"}
_COMMANDS |= dict.fromkeys(("left", "right", "big", "Big", "displaystyle", "quad", "qquad"), " ")
_COMMAND = re.compile(r"\\([A-Za-z]+)|\\([,;:! ])|\\([%{}_&#$])")
_LARGE, _WORDS = 10**5, re.compile(r"[^\W\d_]+")
_UNITS = {"kibi": "KiB", "mebi": "MiB", "gibi": "GiB", "tebi": "TiB", "pebi": "PiB"}
_UNITS |= {"kilo": "kB", "mega": "MB", "giga": "GB", "tera": "TB", "peta": "PB"}
_CHAIN = re.compile(r"\s*(?:(?<![<>!=:])=(?![=<>])|≈|→|⟶|⇒|->|,?\s+(?:so|hence|thus)\b)\s*")
_NO_NAME = {"answer", "ans", "result", "so", "thus", "hence", "therefore", "final answer", "my answer"}
_OF_EACH = re.compile(
    r"\b(?:bytes?|B)\s*(?:/|per\b)\s*(?:an?\s+)?(?:param(?:eter)?|elem(?:ent)?|weight|value|scalar)\b"
)
_ENTRY = re.compile(
    r"\s*(?:(?:the|my)\s+(?:final\s+)?answer\s+is\b|(?:there\s+(?:is|are)|(?:it|(?:the\s+)?model)\s+has)(?=\s+[≈~\d])|(?:question|part|problem)\s+\(?[a-z\d]{1,2}\)?\s*[:,]|(?:so|thus|hence|therefore|and)\b,?|∴|⇒|=>|\([a-z]\)(?=\s))\s*(?=\S)",
    re.IGNORECASE,
)
_REMARK = re.compile(r"\s*(?:\((?:rounded|rounding|after|since|because|from|by)\b[^()]*\)|[✓✔])\s*$", re.IGNORECASE)
_BILLIONS = re.compile(r"(?<=[0-9])B(?=\s+bytes?\b)")
_BYTES = re.compile(r"(?<=[0-9])\s+B\b(?=\s*(?:[×x*·⋅/+]|$))")
_COUNT = re.compile(
    r"(?<![\w.])([0-9][0-9,]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)\s*([kKMBGT]?)\s*(?:param(?:eter)?s?|weights|elem(?:ent)?s|values)\b"
)
_THINGS = re.compile(r"(?<=[)\w])\s+(?:elem(?:ent)?s|values)\b(?=\s*(?:[×x*·⋅]|$))")
_DEVICES = re.compile(r"(?<=\d)\s*[×x]\s*(?=(?:NVIDIA |Google |AMD )?(?:TPU|GPU|RTX|MI\d|GB\d|[HABL]\d{2,3}|v\d[a-z]))")
_LABEL = re.compile(
    r"(?<=\d\s)((?:NVIDIA\s+)?[A-Z]{1,2}\d{2,3}|(?:GPU|device|card|chip|TPU)s?)(?:\s+(?:of|with)\s+|[ -])\d+\s?Gi?B(?=\s*(?:GPU|device|card)s?\s*$|\s*$)"
)
_UNIT_WORD = re.compile(rf"([\d(\[]\s*)({'|'.join(_UNITS)})bytes?(?!\w)", re.IGNORECASE)
_BINARY = re.compile(r"(?<=[\d\s(\[])(?:([kmgtp])ib|([kKMGTPmgtp])(?:iB|IB))(?!\w)")  # Gib are bits
_LETTER_BYTES = re.compile(r"(?<=[\d\s(\[])(k|Ki|[MGTPE]i?)[Bb]ytes?(?!\w)")
_IN_BRACKETS = re.compile(r"(.*\d)\s*[(\[]\s*([^\W\d]+)\s*[)\]]\s*", re.DOTALL)
_ALL_IN_BRACKETS = re.compile(r"\(\s*([\d.,\s]+[^\W\d]*)\s*\)")


BOUNDS = ("least", "most", "more", "fewer")


@dataclass(frozen=True)
class Said:
    """A claimed `value` in plain signs; `bound` is "least" or "most" where it is said to be one, "more" or "fewer" where it is not in it.

    `each` are the words that say that it is of one device; empty where there are none.
    """

    value: str
    bound: str = ""
    each: str = ""


def separated(text: str) -> tuple[str, str] | None:
    """Split a claim into the name of its quantity and what is claimed; None where it has no name.

    >>> separated("n_fsdp = 46"), separated("n_fsdp ≥ 46"), separated("weights: 819 GiB"), separated("46 devices")
    (('n_fsdp', '46'), ('n_fsdp', '≥ 46'), ('weights', '819 GiB'), None)
    >>> separated("(2 P)/(n_pp Y) = 26 GiB"), separated("46 devices = 46")
    (('(2 P)/(n_pp Y)', '26 GiB'), None)
    >>> separated("gradients that are sent: 2 GiB"), separated("prediction: final norm: 56 MiB")
    (('gradients that are sent', '2 GiB'), ('prediction: final norm', '56 MiB'))
    >>> separated("prediction: final norm = 56 MiB"), separated("n_fsdp: M_div/C_mem = 46")
    (('prediction: final norm', '56 MiB'), ('n_fsdp', 'M_div/C_mem = 46'))
    """
    if (headed := _HEADED.fullmatch(text.strip())) and headed["name"].partition(":")[0].lower() not in _NO_NAME:
        return headed["name"], headed["value"]
    match = _SEPARATED.fullmatch(text.strip())
    if match is None and (left := _SEPARATED_FORMULA.fullmatch(text.strip())) is not None:
        return left["name"], left["value"].strip()  # the left side of a line
    if match is None or match["name"].lower() in _NO_NAME:
        return None
    return match["name"], f"{match['sign'] or ''} {match['value']}".strip()


def bounded(value: str) -> tuple[str, str] | None:
    """Split a claim whose name stands before words that bound a number; None for any other.

    >>> bounded("batch size at most 2"), bounded("n_fsdp must be more than 45"), bounded("at most 2")
    (('batch size', 'at most 2'), ('n_fsdp', 'more than 45'), None)
    """
    match = _NAMED_BOUND.fullmatch(value)
    return None if match is None else (match["name"], match["value"])


def chained(value: str) -> list[str]:
    """What a value is said to be one after the other; of most one thing.

    >>> chained("16 P = 3276 GiB"), chained("≈ 45.76 → 46"), chained(">= 46")
    (['16 P', '3276 GiB'], ['45.76', '46'], ['>= 46'])
    """
    return [part for part in _CHAIN.split(value) if part]


def multiplied(value: str) -> str:
    """A product without the words that say of what each factor is: bytes for each parameter, a number of parameters.

    >>> multiplied("16 bytes/param * P"), multiplied("4 bytes per parameter × 219.8B params")
    ('16 bytes * P', '4 bytes × 219800000000')
    >>> multiplied("16 × 8.03B bytes")
    '16 × 8.03e9 bytes'
    """
    value = _OF_EACH.sub("bytes", value)
    value = _BILLIONS.sub("e9", value)
    alone = set(_WORDS.findall(value)) <= {"B", "e", "E", "bytes"} and not in_some_terms(value)
    if _COUNT.search(value) or alone:  # beside numbers B is no batch
        value = _BYTES.sub(" bytes", value)
    return _THINGS.sub("", _COUNT.sub(_counted, value))


def in_some_terms(value: str) -> bool:
    """Whether B stands in a term of a sum and not in another one: 15.5e9 B + 34e9 is no sum of bytes.

    >>> in_some_terms("15.5e9 B + 34e9"), in_some_terms("4 B + 8 B"), in_some_terms("4 B")
    (True, False, False)
    """
    terms = {"B" in _WORDS.findall(term) for term in re.split(r"(?<![eE])[+−-]", value)}
    return len(terms) > 1


def _counted(match: re.Match[str]) -> str:
    """A large number of parameters as a number; a small one before such a word is a factor of the symbol."""
    number = Fraction(match[1].replace(",", "")) * 10 ** MULTIPLIERS.get(match[2], 0)
    return str(number) if number >= _LARGE and number.denominator == 1 else match[0]


def said(value: str) -> Said:
    """Read what stands round a claimed number: that it is rounded, a bound, or of one device.

    >>> said("about 46"), said("at least 46 GPUs"), said("94.5 GiB per GPU")
    (Said(value='46', bound='', each=''), Said(value='46 GPUs', bound='least', each=''), Said(value='94.5 GiB', bound='', each='per GPU'))
    """
    bound = each = ""
    while match := _BEFORE.match(value):
        bound = bound or next((each for each in BOUNDS if match[each]), "")
        value = value[match.end() :]
    value = _BETWEEN.sub(r"\g<number> \g<things> \g<more>", value)  # 46 or more devices
    for pattern in (_ENOUGH, _AFTER, _EACH, _TOTAL):
        match = next((m for m in pattern.finditer(value) if m.end() == len(value)), None)
        if match is not None:
            found = match.groupdict()
            bound = bound or ("least" if found.get("least") else "most" if found.get("most") else "")
            each = each or (found.get("each") or "").strip()
            value = value[: match.start()]
    match = _ALL_IN_BRACKETS.fullmatch(value.strip())
    value = match[1] if match else value
    match = _IN_BRACKETS.fullmatch(value)
    return Said((f"{match[1]} {match[2]}" if match else value).strip(), bound, each)


def plain(text: str) -> str:
    r"""Write LaTeX, the letter x between factors and other names of units in the signs that are read.

    >>> plain(r"$n_{\mathrm{fsdp}} = 46$"), plain(r"3.276 \times 10^{3}\,\text{GiB}"), plain("8x7B"), plain("2 x L")
    ('n_fsdp = 46', '3.276 × 10^3 GiB', '8×7B', '2 × L')
    >>> plain(r"\frac{32 L d_{\text{ff}}}{2}"), plain("3'276 gibibytes"), plain("819 gib.")
    ('((32 L d_ff)/(2))', '3,276 GiB', '819 GiB')
    >>> plain("share_mlp = 67 per cent"), plain("67 Percent")
    ('share_mlp = 67 percent', '67 percent')
    """
    text = _LABEL.sub(r"\1", laid_out(text))
    if "\\" in text or "$" in text or "{" in text:
        text = _typeset(text)
    text = re.sub(r"(?<=\w)~(?=[\w(])", " ", text)
    text = re.sub(r"\b(?:Bytes?|BYTES?)\b", "bytes", _DEVICES.sub(" ", text))
    text = _ENTRY.sub("", _REMARK.sub("", text), count=1) if _ENTRY.match(text) else _REMARK.sub("", text)
    text = re.sub(r"(?<=\d)['’](?=\d{3}(?!\d))", ",", text)
    text = re.sub(r"(?<=[\d\s])per[\s-]?cent(?!\w)", "percent", text, flags=re.IGNORECASE)
    text = re.sub(r"floating[- ]point operations?", "FLOP", text)
    text = re.sub(r"(?<=\s)(kilo|mega|giga|tera|peta|exa|zetta)(?=flops?\b)", _letter, text, flags=re.IGNORECASE)
    text = re.sub(r"(?<=[^\W\d])\s+\(((?:v|[HAB]|MI)\d\w*)\)", r" \1", text)
    text = re.sub(r"(?<=[\w)\]])\s+x\s+(?=[\w(\[.])", " × ", text)
    text = re.sub(r"(?<=\d)x(?=\d)", "×", text)
    text = _UNIT_WORD.sub(lambda match: f"{match[1]}{_UNITS[match[2].lower()]}", text)
    text = _LETTER_BYTES.sub(r"\1B", text)
    text = _BINARY.sub(lambda match: f"{(match[1] or match[2]).upper()}iB", text)
    return re.sub(r"(?<=[^\W\d_])\.\s*$", "", text)


def _letter(match: re.Match[str]) -> str:
    word = match[1].lower()
    return word[0] if word == "kilo" else word[0].upper()


def _typeset(text: str) -> str:
    """Write the LaTeX of a claim in plain signs."""
    text = text.replace("$", "").replace("{,}", ",")
    before = ""
    while before != text:
        before = text
        text = _MARKUP.sub(r"\1", text)
        text = _LOWERED.sub(_lowered, text)
        text = _FRACTION.sub(r"((\1)/(\2))", text)
        text = _ROOT.sub(r"sqrt(\1)", text)
    return re.sub(r"\s+", " ", _COMMAND.sub(_command, text)).strip()


def _lowered(match: re.Match[str]) -> str:
    sign, inside = match.groups()
    return f"{sign}{inside}" if sign == "_" or re.fullmatch(r"[+-]?\d+", inside) else f"^({inside})"


def _command(match: re.Match[str]) -> str:
    word, space, sign = match.groups()
    return sign or (" " if space else _COMMANDS.get(word, word))
