"""Tables of the documentation by name: `table NAME ARGUMENTS` in a page stands for one of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tests.docs import code_tables, suite_tables

TABLES: Mapping[str, Callable[..., str]] = MappingProxyType(
    {
        "suite-keys": suite_tables.suite_keys,
        "settings": suite_tables.settings,
        "axes": suite_tables.axes,
        "metric-inputs": suite_tables.metric_inputs,
        "protocols": suite_tables.protocols,
        "suites": suite_tables.suites,
        "components": suite_tables.components,
        "metrics": suite_tables.metrics,
        "metric-details": suite_tables.metric_details,
        "kinds": suite_tables.kinds,
        "checks": suite_tables.checks,
        "field-types": suite_tables.field_types,
        "hooks": suite_tables.hooks,
        "loss-inputs": suite_tables.loss_inputs,
        "commands": code_tables.commands,
        "options": code_tables.options,
        "conditions": code_tables.conditions,
        "formats": code_tables.report_formats,
        "result": code_tables.result,
        "enum": code_tables.enumeration,
        "function": code_tables.function,
        "members": code_tables.members,
        "public": code_tables.public,
        "floors": code_tables.floors,
    }
)
"""Name of a table -> what makes it of its arguments."""
