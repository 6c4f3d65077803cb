"""The part of TensorRT's Python interface that is used here, as its own modules state it.

Read from the modules of 8.5.3.1, 8.6.0, 10.16.1 and 11.4.0. `test_tensorrt_interface.py` holds the stand-ins
to it, and reads it again where a TensorRT is installed.
"""

PROPERTY = -1
PARAMETERS = {  # of each method, self left out
    "Builder.create_network": 1,
    "Builder.create_builder_config": 0,
    "Builder.create_optimization_profile": 0,
    "Builder.build_serialized_network": 2,
    "OnnxParser.parse": 2,  # the second one, a path, may be left out
    "OnnxParser.num_errors": PROPERTY,
    "OnnxParser.get_error": 1,
    "INetworkDefinition.num_layers": PROPERTY,
    "INetworkDefinition.get_layer": 1,
    "ILayer.type": PROPERTY,
    "ILayer.num_outputs": PROPERTY,
    "ILayer.get_output": 1,
    "ILayer.precision": PROPERTY,
    "ILayer.set_output_type": 2,
    "ITensor.dtype": PROPERTY,
    "IBuilderConfig.set_memory_pool_limit": 2,
    "IBuilderConfig.profiling_verbosity": PROPERTY,
    "IBuilderConfig.add_optimization_profile": 1,
    "IBuilderConfig.set_flag": 1,
    "IBuilderConfig.clear_flag": 1,
    "IBuilderConfig.hardware_compatibility_level": PROPERTY,
    "IBuilderConfig.create_timing_cache": 1,
    "IBuilderConfig.set_timing_cache": 2,
    "IBuilderConfig.get_tactic_sources": 0,
    "IBuilderConfig.set_tactic_sources": 1,
    "IBuilderConfig.set_preview_feature": 2,
    "IBuilderConfig.progress_monitor": PROPERTY,
    "IOptimizationProfile.set_shape": 4,
    "ITimingCache.serialize": 0,
    "Runtime.deserialize_cuda_engine": 1,
    "Runtime.engine_host_code_allowed": PROPERTY,
    "ICudaEngine.create_execution_context": 0,
    "ICudaEngine.num_io_tensors": PROPERTY,
    "ICudaEngine.get_tensor_name": 1,
    "ICudaEngine.get_tensor_mode": 1,
    "ICudaEngine.get_tensor_shape": 1,
    "ICudaEngine.create_engine_inspector": 0,
    "EngineInspector.execution_context": PROPERTY,
    "EngineInspector.get_engine_information": 1,
    "IExecutionContext.set_input_shape": 2,
    "IExecutionContext.get_tensor_shape": 1,
    "IExecutionContext.set_tensor_address": 2,
    "IExecutionContext.execute_async_v3": 1,
    "IProgressMonitor.phase_start": 3,
    "IProgressMonitor.step_complete": 2,
    "IProgressMonitor.phase_finish": 1,
    "ILogger.log": 2,
}
MEMBERS = {  # of enumerations, as far as any version is asked for them
    "NetworkDefinitionCreationFlag": ("EXPLICIT_BATCH", "STRONGLY_TYPED"),
    "BuilderFlag": ("FP16", "INT8", "OBEY_PRECISION_CONSTRAINTS", "TF32", "VERSION_COMPATIBLE"),
    "TacticSource": ("EDGE_MASK_CONVOLUTIONS", "CUDNN"),
    "MemoryPoolType": ("WORKSPACE",),
    "ProfilingVerbosity": ("LAYER_NAMES_ONLY", "DETAILED"),
    "LayerInformationFormat": ("ONELINE", "JSON"),
    "TensorIOMode": ("INPUT", "OUTPUT"),
    "LayerType": ("CONVOLUTION", "LRN", "CONSTANT", "SHAPE", "SHUFFLE", "IDENTITY", "CAST"),
    "HardwareCompatibilityLevel": ("NONE", "AMPERE_PLUS"),
    "PreviewFeature": ("DISABLE_EXTERNAL_TACTIC_SOURCES_FOR_CORE_0805",),
}
_FROM = {  # the first version that has it; the others are in all of them
    "NetworkDefinitionCreationFlag.STRONGLY_TYPED": (10,),
    "BuilderFlag.VERSION_COMPATIBLE": (8, 6),
    "HardwareCompatibilityLevel.NONE": (8, 6),
    "HardwareCompatibilityLevel.AMPERE_PLUS": (8, 6),
    "LayerType.CAST": (8, 6),
    "IBuilderConfig.hardware_compatibility_level": (8, 6),
    "Runtime.engine_host_code_allowed": (8, 6),
    "IBuilderConfig.progress_monitor": (10,),
    "IProgressMonitor.phase_start": (10,),
    "IProgressMonitor.step_complete": (10,),
    "IProgressMonitor.phase_finish": (10,),
}
_GONE_IN = {  # the first version that has it no more
    "NetworkDefinitionCreationFlag.EXPLICIT_BATCH": (11,),
    "BuilderFlag.FP16": (11,),
    "BuilderFlag.INT8": (11,),
    "BuilderFlag.OBEY_PRECISION_CONSTRAINTS": (11,),
    "TacticSource.CUDNN": (11,),
    "PreviewFeature.DISABLE_EXTERNAL_TACTIC_SOURCES_FOR_CORE_0805": (10,),
    "ILayer.precision": (11,),
    "ILayer.set_output_type": (11,),
}


def is_offered(name: str, version: str) -> bool:
    """Whether a version of TensorRT has a method, property or member, e.g. `BuilderFlag.FP16`."""
    number = tuple(int(part) for part in version.split(".")[:2])
    return _FROM.get(name, (0,)) <= number and not _GONE_IN.get(name, (99,)) <= number


def members(kind: str, version: str) -> list[str]:
    """What an enumeration has in a version, as far as it is asked for."""
    return [name for name in MEMBERS[kind] if is_offered(f"{kind}.{name}", version)]
