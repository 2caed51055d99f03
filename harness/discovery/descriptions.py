"""Descriptions of components, available without importing plugins: the component table's entries, as JSON data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, Required, TypedDict, cast

from harness.base import Spec
from harness.fields import Json, Schema


class FieldInfo(TypedDict):
    """A field of a component: the values it accepts, and its default if it has one."""

    schema: Schema
    default: NotRequired[Json]


class Facts(TypedDict, total=False):
    """Class attributes declared by a component's kind that are read before its plugin is imported.

    Of every kind `needs_artifact` and `not_in_artifact`, `is_control` and `fetches` (it may download) where it is so;
    of a sampler `unused_kinds`; of a trainer `external`; of metrics and protocols as in `harness.Metric` and
    `harness.Protocol`. A fact that is a field is left out, see `facts_of`.
    """

    needs_artifact: bool
    not_in_artifact: Sequence[str]
    unused_kinds: Sequence[str]
    is_control: bool
    fetches: bool
    external: bool
    higher_is_better: bool | None
    unit: str | None
    ideal: float | None
    caveat: str | None
    relative_margin: float | None
    version: int
    required_kinds: Mapping[str, Spec | None]
    compared_kinds: Sequence[str]
    optional_kinds: Sequence[str]
    metric_inputs: Sequence[str]
    metrics: Sequence[str | Spec] | None
    interleaved: bool
    references: Sequence[str]
    artifacts: Mapping[str, Sequence[str]]


class Description(TypedDict, total=False):
    """A component: its fields, the first line of its docstring and all of it, its place, the inputs it requests.

    `declared` are the attributes declared by its kind that hold a component and that the class gives by name; `dynamic`
    says that its fields may be learned or scheduled, `inputs` are its required arguments, `reference` is BibTeX.
    A description of an import path that leads nowhere has an `error` and nothing else. One that stands in for a
    component of a plugin that cannot be imported has the reason in `lost`; it accepts any fields.
    """

    kind: Required[str]
    name: Required[str]
    fields: Mapping[str, FieldInfo]
    declared: Mapping[str, FieldInfo]
    doc: str
    help: str
    file: str
    line: int
    plugin: str
    reference: str
    dynamic: bool
    inputs: Sequence[str]
    facts: Facts
    error: str
    lost: str


class PluginAnswer(TypedDict, total=False):
    """Descriptions of a plugin's components, or a line with the reason why it cannot be used.

    `imported` is False where its import failed.
    """

    components: list[Description]
    error: str
    imported: bool


Table = Mapping[tuple[str, str], Description]
"""(kind, name) -> description of the component."""


def facts_of(about: Description, spec: Spec) -> Facts:
    """Return the facts of a component with the values of its fields, which may be facts: a metric's direction."""
    fields = {name: spec.get(name, field.get("default")) for name, field in about.get("fields", {}).items()}
    named = {name: value for name, value in fields.items() if name in Facts.__annotations__}
    return cast("Facts", {**about.get("facts", {}), **named})
