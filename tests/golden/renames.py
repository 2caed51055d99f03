"""What results of version 0.1.0 were called and what they are called now: the table by which old results are read."""

METRICS = {
    "map": "mean_average_precision",
    "antihub_share": "antihub_occurrence",
    "hub_share": "hub_occurrence",
    "greatest_hub": "max_k_occurrence",
    "error": "max_abs_error",
    "sum_error": "normalization_error",
    "negative_error": "negativity",
    "order_error": "monotonicity_violation",
    "shift_error": "shift_invariance_error",
    "times_softmax": "slowdown_vs_softmax",
    "times_forward": "backward_forward_ratio",
    "times_input": "peak_memory_ratio",
    "limit": "bandwidth_fraction",
    "peak_bytes": "peak_memory",
    "reserved_bytes": "reserved_memory",
    "mode_weights": "mode_weight_tv",
    "cross_entropy_excess": "excess_cross_entropy",
    "flow_nll": "ode_nll",
    "threshold": "decision_threshold",
    "separable": "linearly_separable",
    "label_ece": "multilabel_ece",
}
AXES = {"grid": "spacing"}
LABELS = {"predicts=v": "prediction_type=v_prediction"}
"""Parts of labels."""
VERDICTS = {"same": "equivalent"}
DIRECTIONS = {"higher": True, "lower": False, None: None}
GATE_RULES = {
    "worse_than": "max_regression",
    "not_worse_than": "non_inferior_by",
    "at_most": "max",
    "at_least": "min",
}
OF_THE_MOMENT = (
    "seconds",
    "backward_seconds",
    "peak_memory",
    "slowdown_vs_softmax",
    "backward_forward_ratio",
    "peak_memory_ratio",
)
"""Metrics of times and memory, which no two runs share."""
KINDS = {"grid": "spacing"}
FIELDS = {
    "dataset": {},
    "schedule": {"steps": "num_train_timesteps"},
    "denoiser": {
        "predicts": "prediction_type",
        "noise": "parameterization",
        "discrete": "discrete_time",
        "range": "data_range",
    },
    "protocol": {
        "clip": "clip_x0",
        "last_noise": "noise_last_step",
        "same": "match_reference",
        "flush": "flush_cache",
        "half_width": "target_half_width",
        "direction": "pass",
    },
}
"""Kind -> fields of its components."""
VALUES = {"eps": "epsilon", "x0": "sample", "v": "v_prediction", "variance_preserving": "vp", "sigma": "ve"}
"""Values of the fields of denoisers."""
SUITE_KEYS = {"measure": "metrics", "within": "group_by", "gate": "gates"}
DOOR = {
    "Ready": "DiffusionModel",
    "Noise": "NoiseSource",
    "noise": "NoiseSource",
    "Case": "CellContext",
    "Session": "CellRunner",
    "Values": "Measurements",
    "Ruling": "StoppingDecision",
    "Job": "TrainingJob",
    "Outcome": "TrainingResult",
    "Data": "Examples",
    "Part": "Subset",
    "Unit": "UnitInterval",
    "Count": "PositiveInt",
    "File": "FilePath",
    "Learn": "Learned",
    "Geometric": "GeometricSchedule",
    "Linear": "LinearSchedule",
    "Grid": "Spacing",
    "Neighbours": "Neighbors",
    "call": "call_with_inputs",
    "wanted": "requested_inputs",
    "with_values": "replace_fields",
    "INPUTS": "LOSS_INPUTS",
    "smallest": "k_smallest",
    "nearest": "k_nearest",
    "occurrences": "k_occurrence",
    "distances": "pairwise_distances",
}
GONE = ("Only", "AtLeastOne")
"""Bounds are those of the library annotated-types now."""
OPTIONS_GONE = {"report": ("--quality",)}
"""`bench pareto SPEED_RUN QUALITY_RUN` in its place."""
