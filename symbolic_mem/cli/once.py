"""A verb whose options each count: one that takes one value and is given two is refused, instead of the last one winning."""

from __future__ import annotations

from collections import Counter

import click


class Verb(click.Command):
    """A command that refuses an option given twice, unless it may be; flags that say the same are one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; raises `click.UsageError` with the verb in its context."""
        given = list(args)
        try:
            rest = super().parse_args(ctx, args)
            if not ctx.resilient_parsing:
                self._refuse_twice(ctx, given)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise
        return rest

    def _refuse_twice(self, ctx: click.Context, given: list[str]) -> None:
        _, _, order = self.make_parser(ctx).parse_args(args=given)
        for param, times in Counter(order).items():
            if not isinstance(param, click.Option) or times == 1 or param.multiple or param.count:
                continue
            if param.is_flag and not param.secondary_opts:
                continue
            both = " or ".join([*param.opts[-1:], *param.secondary_opts])
            raise click.UsageError(f"{both} is given {'twice' if times == 2 else f'{times} times'}; give it once", ctx)
