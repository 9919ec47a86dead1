"""At which remainders of a number of blocks the largest must be asked for, where whether one number fits is soon found."""

from __future__ import annotations

from collections.abc import Callable

MOST_ASKED = 4


def ask_few(several: int, step: int, largest: Callable[[int], int | None], fits: Callable[[int], bool | None]) -> bool:
    """Ask for the `largest` number at those remainders by `several` that tell the largest of all; return whether these are enough.

    They are those of the largest, of the next below it and of the number after it; remainders are multiples of a `step`. A number that
    `fits` says that its remainder has one at least as large, and one that does not that no larger one has it: at one remainder the
    memory never falls as blocks are added. None: it is not known. Of four remainders or less nothing would be saved.

    >>> most, asked = [30, 31, 32, 33, 28, 29], []
    >>> ask_few(6, 1, lambda rest: asked.append(rest) or most[rest], lambda value: value <= most[value % 6]), asked
    (True, [0, 3, 2, 4])
    """
    if several <= MOST_ASKED * step:
        return False
    known = {0: largest(0)}

    def there(value: int) -> bool | None:
        rest = value % several
        return (known[rest] or 0) >= value if rest in known else fits(value)

    while True:
        best = max(value or 0 for value in known.values())
        beyond = {value: there(value) for value in range(best + step, best + several, step)}
        if best == 0 or None in beyond.values():
            return False
        if not any(beyond.values()):
            break
        rest = max(value for value, fit in beyond.items() if fit) % several
        known[rest] = largest(rest)
    second = next(
        (value for value in range(best - step, max(best - several, 0), -step) if there(value) is not False), 0
    )
    if not second or there(second) is None:
        return False
    for rest in dict.fromkeys((second % several, (best + step) % several)):
        if rest not in known:
            largest(rest)
    return True
