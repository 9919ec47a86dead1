"""Changes of how a model is trained or served: the recipe and its parts, what an engine keeps, what is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place, clipped
from symbolic_mem.base.formula import read_number
from symbolic_mem.base.written import counted
from symbolic_mem.models.attention import BY_PARTS
from symbolic_mem.models.built import Built
from symbolic_mem.recipes.caches import cache_format
from symbolic_mem.recipes.offload import known_offload
from symbolic_mem.recipes.optimizers import optimizer
from symbolic_mem.recipes.own import read_recipes, recipe_of
from symbolic_mem.recipes.recipe import COPIES, GRADIENTS, Recipe, known_pages
from symbolic_mem.recipes.recompute import COUNTED, PHASES, PRODUCTS, TRANSIENT, UNIFORM, Recompute
from symbolic_mem.recipes.tuned import CONFIG, in_folder, read_tuned
from symbolic_mem.study.setting import Change, Setting


def chosen_recipe(name: str | Recipe, recipes: str | None = None, where: str = "--recipe") -> Recipe:
    """Return the recipe of that name, also of the file `recipes`, or one as it is; `where` is the place of the name."""
    if isinstance(name, Recipe):
        return name
    if recipes is not None:
        read_recipes(recipes)  # a fault of that file has a place of its own
    with at_place(where):
        return recipe_of(name, recipes)


def use_recipe(name: str | Recipe, recipes: str | None = None, where: str = "--recipe") -> Change:
    """Train with another recipe, by name (also of the file `recipes`) or as it is; the rule of recomputation stays."""
    chosen = chosen_recipe(name, recipes, where)

    def apply(setting: Setting) -> Setting:
        if not chosen.trains:
            served = {"built": fused(setting.built)} if chosen.serves else {}
            placement = {} if setting.plan is None else setting.plan.shares
            return replace(setting, recipe=chosen, placement=placement, **served)
        return replace(setting, recipe=chosen.with_recompute(setting.recipe.recompute))

    return Change("recipe", f"recipe {chosen.name}", apply)


def fused(built: Built) -> Built:
    """Return a model with attention in one kernel, as engines that serve models have it, where it works by parts."""
    return built.under(kernel="flash") if built.kernel in BY_PARTS else built


def refuse_parts(recipe: Recipe, kernel: str) -> None:
    """Refuse an attention kernel that works by parts under a recipe of an engine that has attention in one."""
    if recipe.serves and kernel in BY_PARTS:
        raise BadInput(
            f"{kernel} works by parts, and recipe {recipe.name!r} of {recipe.serves} has attention in one kernel; leave it out, or "
            "choose recipe inference"
        )


def use_cache(name: str, where: str = "--cache") -> Change:
    """Store the caches of decoding in another format."""
    with at_place(where):
        cache_format(name)
    return Change(
        "cache", f"cache {name}", lambda setting: replace(setting, recipe=setting.recipe.with_cache(name, where))
    )


def use_pages(tokens: object, where: str = "--page") -> Change:
    """Store the caches of decoding in pages (blocks) of so many tokens."""
    number: Any = tokens if not isinstance(tokens, str) or (read := counted(tokens)) is None else read
    known_pages(number, where)

    def apply(setting: Setting) -> Setting:
        return replace(setting, recipe=setting.recipe.with_pages(number, where))

    return Change("page", f"pages of {tokens} tokens", apply)


def use_optimizer(name: str, where: str = "--optimizer") -> Change:
    """Train with another optimizer, for parameters of the same size."""
    with at_place(where):
        optimizer(name)
    return Change(
        "optimizer", f"optimizer {name}", lambda setting: replace(setting, recipe=setting.recipe.with_optimizer(name))
    )


def use_profile(name: str, profiles: str | None = None, where: str = "--profile") -> Change:
    """Keep what another engine keeps for the backward pass, by the name of a profile (also of the file `profiles`)."""
    from symbolic_mem.models.own_profiles import profile_of, read_profiles

    if profiles is not None:
        read_profiles(profiles)  # a fault of that file has a place of its own
    with at_place(where):
        how = profile_of(name, profiles)

    return Change("profile", f"profile {name}", lambda setting: replace(setting, built=setting.built.under(how, None)))


def use_kernel(name: str, where: str = "--kernel") -> Change:
    """Compute attention with another kernel."""

    def apply(setting: Setting) -> Setting:
        with at_place(where):
            refuse_parts(setting.recipe, name)
            return replace(setting, built=setting.built.under(None, name))

    return Change("kernel", f"attention kernel {name}", apply)


def use_loss(name: str, where: str = "--loss") -> Change:
    """Compute the loss in another way: see `known_losses`."""
    from symbolic_mem.models.losses import loss

    with at_place(where):
        loss(name)

    def apply(setting: Setting) -> Setting:
        _need_backward(setting, f"loss {name}")
        return replace(setting, built=setting.built.under(loss=name))

    return Change("loss", f"loss {name}", apply)


def _need_backward(setting: Setting, what: str) -> None:
    if not setting.recipe.trains:
        raise BadInput(
            f"recipe {setting.recipe.name!r} is one of inference, which keeps nothing for a backward pass; leave {what} out"
        )


def use_recompute(given: str | Mapping[str, Any], where: str = "--recompute") -> Change:
    """Recompute by another rule: as `Recompute.read` takes it, or in its short form ``every=2+last`` or ``full+transient``."""
    how = Recompute.read(_rule(given, where), where)

    def apply(setting: Setting) -> Setting:
        return replace(setting, recipe=setting.recipe.with_recompute(how))

    return Change("recompute", f"recomputation: {how}", apply)


def _rule(given: str | Mapping[str, Any], where: str) -> str | Mapping[str, Any]:
    """Read the short form of a rule with a number or with what is said beside it; any other is returned as it is."""
    if not isinstance(given, str):
        return given
    short, *beside = given.split("+")
    told = _numbered(short, where)
    if not beside:
        return told
    table: dict[str, Any] = {"rule": told} if isinstance(told, str) else dict(told)
    for word in beside:
        if word not in (TRANSIENT, *PHASES):
            raise BadInput.unknown(
                f"{where} {clipped(given)}: unknown {clipped(word)} beside a rule", word, (TRANSIENT, *PHASES)
            )
        table |= {TRANSIENT: True} if word == TRANSIENT else {"phase": word}
    return table


def _numbered(given: str, where: str) -> str | Mapping[str, Any]:
    rule, equals, number = given.partition("=")
    if rule not in (*COUNTED, UNIFORM) and not (rule == PRODUCTS and equals):
        return given
    size = counted(number)
    if size is None:
        what = "products in a row" if rule == PRODUCTS else "blocks"
        raise BadInput(f"{where} {given!r}: {rule} counts {what}; write for example {rule}=2")
    return {rule: size}


def use_adapters(given: str, where: str = "--adapters") -> Change:
    """Train adapters on these modules alone, as `read_tuned` takes them: names with commas, or a file of PEFT's, or the folder that holds it; ``none``: all is trained.

    >>> use_adapters("q_proj,v_proj").words
    'adapters on q_proj,v_proj'
    """
    table: Any = "all"
    if given != "none":
        given = in_folder(given)
        table = {"adapters": given if given.endswith(CONFIG) else [name.strip() for name in given.split(",")]}
        read_tuned(table, where)

    def apply(setting: Setting) -> Setting:
        before = setting.recipe.tuned
        rank = {} if table == "all" or given.endswith(CONFIG) or before.rank is None else {"rank": before.rank}
        found = read_tuned(table if table == "all" else {**table, **rank}, where, before=before)
        with at_place(where):
            return replace(setting, recipe=setting.recipe.with_tuned(found))

    return Change("adapters", f"adapters on {given}" if given != "none" else "no adapters", apply, where)


def keep_gradients(given: str, where: str = "--gradients") -> Change:
    """Say what becomes of gradients: ``kept`` between micro-batches, ``freed`` after a step, or there ``one-by-one``.

    >>> keep_gradients("freed").words
    'gradients freed'
    """
    if given not in GRADIENTS:
        raise BadInput.unknown(f"{where}: unknown fate {given!r} of the gradients", given, GRADIENTS)

    def apply(setting: Setting) -> Setting:
        with at_place(where):
            return replace(setting, recipe=setting.recipe.with_gradients(given))

    return Change("gradients", f"gradients {given}", apply)


def use_copies(given: str, where: str = "--copies") -> Change:
    """Count further weights, so many bytes for each, in the place of those that the study has; ``none``: no such copies.

    >>> use_copies("ema=4,reference=2").words
    'copies: ema=4, reference=2'
    """
    pairs = [] if given.strip() == "none" else [pair.partition("=") for pair in given.split(",")]
    found: dict[str, sp.Rational] = {}
    for name, equals, size in pairs:
        what = name.strip()
        if what not in COPIES:
            raise BadInput.unknown(f"{where}: unknown copy {clipped(what)}", what, COPIES)
        if not equals or what in found:
            raise BadInput(f"{where}: give each copy its bytes once, as in ema=4,reference=2")
        found[what] = sp.S.Zero if size.strip() == "0" else read_number(size.strip(), f"{where}: {what}")

    def apply(setting: Setting) -> Setting:
        with at_place(where):
            return replace(setting, recipe=setting.recipe.with_copies(found))

    told = ", ".join(f"{what}={size}" for what, size in found.items())
    return Change("copies", f"copies: {told or 'none'}", apply)


def use_offload(given: str, where: str = "--offload") -> Change:
    """Keep these kinds of memory in the host's, with commas between them; ``none``: all of it on the device.

    >>> use_offload("optimizer,gradients").words
    'offloaded: optimizer, gradients'
    """
    listed = () if given.strip() == "none" else tuple(kind.strip() for kind in given.split(","))
    kinds = known_offload(listed, where)

    def apply(setting: Setting) -> Setting:
        return replace(setting, recipe=setting.recipe.with_offload(kinds, where))

    return Change("offload", f"offloaded: {', '.join(kinds) or 'nothing'}", apply)
