"""What is known of a component without importing its plugin: one entry of the component table, as JSON data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, Required, TypedDict

from harness.base import Spec
from harness.fields import Json, Schema


class FieldInfo(TypedDict):
    """A field of a component: what it accepts, and its default where it has one."""

    schema: Schema
    default: NotRequired[Json]


class Facts(TypedDict, total=False):
    """Class attributes that a component's kind declares, those that are read before a plugin is imported.

    Of every kind `needs_artifact` and `not_in_artifact`; of a sampler `unused_kinds` and `is_control`; of
    metrics and protocols as in `harness.Metric` and `harness.Protocol`.
    """

    needs_artifact: bool
    not_in_artifact: Sequence[str]
    unused_kinds: Sequence[str]
    is_control: bool
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
    artifacts: Mapping[str, Sequence[str]]


class Description(TypedDict, total=False):
    """A component: its fields, the first line of its docstring and all of it, where it is written, what it asks for.

    `declared` are the attributes its kind declares that hold a component and that the class leaves to a name; `dynamic`
    says that its fields may be learned or scheduled, `inputs` are the arguments it cannot be called without.
    One named by an import path that leads nowhere has an `error` and nothing else.
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
    dynamic: bool
    inputs: Sequence[str]
    facts: Facts
    error: str


class PluginAnswer(TypedDict, total=False):
    """What a plugin brings, or the one line that says why it cannot be used."""

    components: list[Description]
    error: str


Table = Mapping[tuple[str, str], Description]
"""(kind, name) -> what is known of the component."""
