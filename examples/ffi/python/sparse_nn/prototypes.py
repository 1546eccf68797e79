"""The arguments of the functions that this package calls, as in the headers; tests/ffi/python compares them. A function
returns a status unless RESULTS says otherwise."""

from __future__ import annotations

from ctypes import POINTER, c_char_p, c_double, c_int32, c_int64, c_void_p
from typing import Any

from . import structs

OBJECT = c_void_p  # a handle, or NULL where the header allows it
PLACE = POINTER(c_void_p)  # where a handle is put, or taken away
ARRAY = c_void_p  # the address of the first number
COUNT = POINTER(c_int64)

PROTOTYPES: dict[str, tuple[Any, ...]] = {
    "tsnn_version_string": (),
    "tsnn_version_number": (),
    "tsnn_status_string": (c_int32,),
    # context
    "tsnn_context_create": (POINTER(structs.ContextOptions), PLACE),
    "tsnn_context_destroy": (PLACE,),
    "tsnn_context_error": (OBJECT, c_char_p, c_int64, POINTER(c_int32)),
    "tsnn_context_get_info": (OBJECT, POINTER(structs.ContextInfo)),
    "tsnn_context_set_threads": (OBJECT, c_int32),
    # data
    "tsnn_dataset_create": (OBJECT, POINTER(structs.DatasetOptions), PLACE),
    "tsnn_dataset_destroy": (PLACE,),
    "tsnn_dataset_get_info": (OBJECT, POINTER(structs.DatasetInfo)),
    "tsnn_standardizer_fit": (OBJECT, OBJECT, PLACE),
    "tsnn_standardizer_create": (OBJECT, c_int64, ARRAY, ARRAY, PLACE),
    "tsnn_standardizer_destroy": (PLACE,),
    "tsnn_standardizer_get": (OBJECT, ARRAY, ARRAY, c_int64, COUNT),
    # layers
    "tsnn_activation_create": (OBJECT, POINTER(structs.ActivationOptions), PLACE),
    "tsnn_activation_destroy": (PLACE,),
    "tsnn_activation_evaluate": (OBJECT, c_int64, ARRAY, ARRAY, ARRAY, c_int64),
    "tsnn_layer_create": (OBJECT, POINTER(structs.LayerOptions), PLACE),
    "tsnn_layer_create_from_csr": (OBJECT, c_int64, c_int64, c_int64, ARRAY, ARRAY, ARRAY, ARRAY, c_int32, PLACE),
    "tsnn_layer_destroy": (PLACE,),
    "tsnn_layer_get_info": (OBJECT, POINTER(structs.LayerInfo)),
    "tsnn_layer_get_csr": (OBJECT, ARRAY, c_int64, ARRAY, ARRAY, c_int64),
    "tsnn_layer_get_bias": (OBJECT, ARRAY, c_int64),
    "tsnn_layer_get_importance": (OBJECT, ARRAY, c_int64),
    "tsnn_layer_set_weights": (OBJECT, ARRAY, c_int64, ARRAY, c_int64),
    "tsnn_layer_freeze": (OBJECT, c_int32),
    # networks
    "tsnn_network_create": (OBJECT, PLACE),
    "tsnn_network_create_mlp": (OBJECT, POINTER(structs.MlpOptions), PLACE),
    "tsnn_network_append": (OBJECT, PLACE, OBJECT, c_double),
    "tsnn_network_copy": (OBJECT, PLACE),
    "tsnn_network_destroy": (PLACE,),
    "tsnn_network_get_info": (OBJECT, POINTER(structs.NetworkInfo)),
    "tsnn_network_get_layer": (OBJECT, c_int64, PLACE),
    "tsnn_network_set_standardizer": (OBJECT, OBJECT),
    "tsnn_network_predict": (OBJECT, ARRAY, c_int64, ARRAY, c_int64),
    "tsnn_network_classify": (OBJECT, ARRAY, c_int64, ARRAY, c_int64),
    "tsnn_network_evaluate": (OBJECT, OBJECT, OBJECT, POINTER(structs.Evaluation)),
    "tsnn_network_save": (OBJECT, POINTER(structs.SaveOptions), c_char_p),
    "tsnn_network_save_memory": (OBJECT, POINTER(structs.SaveOptions), ARRAY, c_int64, COUNT),
    "tsnn_network_load": (OBJECT, c_char_p, POINTER(structs.LoadOptions), PLACE),
    "tsnn_network_load_memory": (OBJECT, ARRAY, c_int64, POINTER(structs.LoadOptions), PLACE),
    # training
    "tsnn_loss_create": (OBJECT, POINTER(structs.LossOptions), PLACE),
    "tsnn_loss_destroy": (PLACE,),
    "tsnn_optimizer_create": (OBJECT, POINTER(structs.OptimizerOptions), PLACE),
    "tsnn_optimizer_destroy": (PLACE,),
    "tsnn_evolution_create": (OBJECT, POINTER(structs.EvolutionOptions), PLACE),
    "tsnn_evolution_destroy": (PLACE,),
    "tsnn_evolution_apply": (OBJECT, OBJECT, c_int64, COUNT),
    "tsnn_pruning_create": (OBJECT, POINTER(structs.PruningOptions), PLACE),
    "tsnn_pruning_destroy": (PLACE,),
    "tsnn_pruning_apply": (OBJECT, OBJECT, POINTER(structs.PruningReport)),
    "tsnn_trainer_create": (OBJECT, POINTER(structs.TrainerOptions), PLACE),
    "tsnn_trainer_destroy": (PLACE,),
    "tsnn_trainer_run": (OBJECT, OBJECT, OBJECT),
    "tsnn_trainer_step": (OBJECT, OBJECT, ARRAY, c_int64, c_double, POINTER(c_double)),
    "tsnn_trainer_save_memory": (OBJECT, POINTER(structs.SaveOptions), ARRAY, c_int64, COUNT),
    "tsnn_trainer_resume_memory": (OBJECT, ARRAY, c_int64, POINTER(structs.LoadOptions)),
    # inference
    "tsnn_predictor_create": (OBJECT, OBJECT, POINTER(structs.PredictorOptions), PLACE),
    "tsnn_predictor_load": (OBJECT, c_char_p, POINTER(structs.PredictorLoadOptions), PLACE),
    "tsnn_predictor_load_memory": (OBJECT, ARRAY, c_int64, POINTER(structs.PredictorLoadOptions), PLACE),
    "tsnn_predictor_destroy": (PLACE,),
    "tsnn_predictor_get_info": (OBJECT, POINTER(structs.PredictorInfo)),
    "tsnn_predictor_workspace_size": (OBJECT, c_int64, COUNT),
    "tsnn_predictor_workspace_init": (OBJECT, c_int64, ARRAY, c_int64, PLACE),
    "tsnn_predictor_workspace_error": (OBJECT, c_char_p, c_int64, POINTER(c_int32)),
    "tsnn_predictor_predict": (OBJECT, OBJECT, ARRAY, c_int64, ARRAY, c_int64),
    "tsnn_predictor_classify": (OBJECT, OBJECT, ARRAY, c_int64, ARRAY, c_int64),
}

RESULTS: dict[str, Any] = {
    "tsnn_version_string": c_char_p,
    "tsnn_version_number": c_int32,
    "tsnn_status_string": c_char_p,
    **{name: None for name in PROTOTYPES if name.endswith("_destroy")},
}
