/** Trains truly sparse neural networks: what is exported here is the public API; see also `espalier/kernels`. */
export { gradientConcentration } from './analysis/concentration.js'
export { correlation } from './analysis/correlation.js'
export { deadNeurons } from './analysis/dead-neurons.js'
export { fanDistance, sameGrid, type TopologyDistance, topologyDistance } from './analysis/distance.js'
export { type FanPattern, fanCounts, type Spread, spread } from './analysis/fan.js'
export { type FeatureImportanceOptions, featureImportance } from './analysis/feature-importance.js'
export { inputConnections, type RankedInput, rankInputs } from './analysis/inputs.js'
export { fitLognormal, type LognormalFit } from './analysis/lognormal.js'
export {
  type LayerTopology,
  recordTopology,
  type TopologyMoment,
  type TopologyRecord,
  topologyRecord,
  topologySeries,
} from './analysis/topology-record.js'
export * from './data/index.js'
export type { NumberArray } from './data/readers/numbers.js'
export { type ErrorCode, EspalierError } from './errors.js'
export {
  type CompareOptions,
  type Comparison,
  compare,
} from './experiment/compare.js'
export type { Job as CompareJob } from './experiment/grid.js'
export type { Exploration, ExplorationMeasure } from './experiment/measures/exploration.js'
export type { FanInLook, FanInMeasure } from './experiment/measures/fan-in.js'
export type { FanInShapeMeasure } from './experiment/measures/fan-in-shape.js'
export type {
  ConcentrationLook,
  GradientConcentrationMeasure,
  LayerConcentration,
} from './experiment/measures/gradient-concentration.js'
export type { Measure as StudyMeasure } from './experiment/measures/registry.js'
export type { RemovedNeurons, RemovedNeuronsMeasure } from './experiment/measures/removed-neurons.js'
export type { PlannedLayer, PlannedNetwork } from './experiment/network.js'
export type { DenseTwin as DenseTwinPreparation } from './experiment/preparations/dense-twin.js'
export type { Equilibrium as EquilibriumPreparation } from './experiment/preparations/equilibrium.js'
export type { LearnedTopology as LearnedTopologyPreparation } from './experiment/preparations/learned-topology.js'
export type { Json, PreparationContext, PreparedRun } from './experiment/preparations/preparation.js'
export type { Preparation as StudyPreparation } from './experiment/preparations/registry.js'
export type { SpatiallyCoupled as SpatiallyCoupledPreparation } from './experiment/preparations/spatially-coupled.js'
export type { CompareProgress } from './experiment/progress.js'
export type { Plan as StudyPlan, PlannedDataset, PlannedMethod } from './experiment/read-study.js'
export type {
  CompareEpoch,
  CompareResult,
  CompareRun,
  FailedRun,
  FinishedRun,
} from './experiment/run-file.js'
export { holm } from './experiment/statistics/holm.js'
export { comparePaired, type PairedTest } from './experiment/statistics/paired.js'
export { describeSample, type Interval, type SampleSummary } from './experiment/statistics/sample.js'
export { type SignedRank, signedRank } from './experiment/statistics/wilcoxon.js'
export type {
  LayerPart,
  Method as StudyMethod,
  Study,
  StudyDataset,
  StudyFit,
  StudyLayer,
  StudyNetwork,
} from './experiment/study.js'
export { readStudyFile } from './experiment/study-file.js'
export {
  type Cell as CompareCell,
  type CellSizes as CompareSizes,
  comparePairs,
  type MethodComparison,
  type Metric as CompareMetric,
  type Place as ComparePlace,
  type Summary as CompareSummary,
  summarize,
} from './experiment/summary.js'
export { readCheckpoint, writeCheckpoint } from './formats/checkpoint.js'
export { type ImportLayer, type ImportOptions, importNetwork } from './formats/import.js'
export { type NumpyArray, type NumpyReadOptions, readNpy, writeNpy } from './formats/npy.js'
export { type NpzWriteOptions, readNpz, writeNpz } from './formats/npz.js'
export { exportOnnx, type OnnxOptions } from './formats/onnx.js'
export {
  readSafetensors,
  type SafetensorsFile,
  type Tensor,
  type TensorData,
  writeSafetensors,
} from './formats/safetensors.js'
export { layerMatrix, matrixPattern, type SparseMatrix } from './formats/sparse-matrix.js'
export { readSparseNpz, writeSparseLayers, writeSparseNpz } from './formats/sparse-npz.js'
export { TensorBoardWriter } from './formats/tensorboard.js'
export { recordTensorBoard, type TensorBoardOptions } from './formats/tensorboard-run.js'
export type { Activation, ActivationName, ActivationOption } from './model/activation.js'
export type { Block, BlockOption } from './model/block.js'
export { denseTwin } from './model/dense-twin.js'
export type { Loss, NetworkDescription, NetworkOptions } from './model/description.js'
export type { Gradient, GradientOptions, LayerGradients } from './model/gradients.js'
export type { Initialization, InitializationName, InitializationOption } from './model/initialization.js'
export {
  type DenseLayer,
  type DenseOptions,
  type DropoutLayer,
  dense,
  dropout,
  type Layer,
  type LayerNormLayer,
  type LayerNormOptions,
  layerNorm,
  type SparseLayer,
  type SparseOptions,
  sparse,
} from './model/layers.js'
export { Network, type ThreadOptions } from './model/network.js'
export { type LayerPattern, layerPatterns } from './model/pattern.js'
export type { Device, Placement, PlacementOptions, Precision } from './model/placement.js'
export type { NetworkSnapshot, Progress } from './model/snapshot.js'
export type { NetworkStats } from './model/stats.js'
export { describeMachine, type Machine, peakMemoryMB, processorName } from './native/machine.js'
export type {
  InstructionSet,
  NativeBestEpoch as BestEpoch,
  NativeCuda as CudaInformation,
  NativeLayerSummary as LayerSummary,
  NativeMemory as MemoryUse,
  NativeOptimizer as OptimizerState,
  NativePlan as NetworkPlan,
  NativeProductPlan as ProductPlan,
  NativeProgress as NetworkCounters,
  NativeRewireLayer as RewireLayer,
  NativeTensor as NetworkTensor,
  NativeUsage as Usage,
} from './native/surface.js'
export {
  chooseDevice,
  type SystemInformation,
  setNativeMemoryLimit,
  system,
  usage,
} from './native/system.js'
export type { Logger, LogMethod } from './observe/logger.js'
export { type RunMetricsOptions, runMetrics } from './observe/metrics.js'
export type { MetricConfiguration, MetricLabels, MetricsClient } from './observe/metrics-client.js'
export type {
  ObservedRun,
  RunListener,
  RunObserver,
  RunOutcome,
  WrittenCheckpoint,
} from './observe/observer.js'
export type { ObserveOptions } from './observe/options.js'
export { renderComparison, writeComparison } from './report/comparison.js'
export { comparisonCsv } from './report/comparison-csv.js'
export { type ComparisonTable, comparisonTables } from './report/comparison-rows.js'
export { renderReport, writeReport } from './report/report.js'
export {
  type EpochRecord,
  type LayerRecord,
  type RewiringRecord,
  type RunRecord,
  readRunRecord,
  writeRunRecord,
} from './report/run-record.js'
export { studyMarkdown, verdictText } from './report/study-markdown.js'
export { type AccuracyTable, accuracyTable } from './report/study-table.js'
export { type ChtOptions, type ChtRule, cht, chts } from './rewire/cht.js'
export { type GranetOptions, type GranetRule, granet } from './rewire/granet.js'
export { type InvertedRiglOptions, type InvertedRiglRule, invertedRigl } from './rewire/inverted-rigl.js'
export { type MestOptions, type MestRule, mest } from './rewire/mest.js'
export {
  type ImportancePruning,
  type ImportancePruningOptions,
  importancePruning,
  type NeuronCriterion,
  type NeuronPruning,
  type NeuronPruningOptions,
  type NeuronRule,
  pruneNeurons,
} from './rewire/neurons.js'
export { type RiglOptions, type RiglRule, rigl, riglItop } from './rewire/rigl.js'
export type { RewireRule } from './rewire/rule.js'
export { npset, type SetOptions, type SetRule, set, setItop } from './rewire/set.js'
export type {
  ExplorationOptions,
  FractionSchedule,
  MovingOptions,
  MovingRule,
  RewireInterval,
} from './rewire/shared.js'
export { type SnfsOptions, type SnfsRule, snfs } from './rewire/snfs.js'
export { type SnipOptions, type SnipRule, snip } from './rewire/snip.js'
export { type SriglOptions, type SriglRule, srigl } from './rewire/srigl.js'
export { type StaticOptions, type StaticRule, staticTopology } from './rewire/static.js'
export type { Missing } from './study/data.js'
export type { Claim, Judgement, StudyDefinition } from './study/definition.js'
export { studies } from './study/registry.js'
export { type JudgedClaim, runStudy, type StudyOptions, type StudyResult } from './study/run.js'
export type { Verdict } from './study/verdict.js'
export {
  type ConstantFanInOptions,
  type ConstantFanInTopology,
  constantFanIn,
} from './topology/constant-fan-in.js'
export { type EpsilonTopology, epsilon } from './topology/epsilon.js'
export { type EquilibriumOptions, equilibrium } from './topology/equilibrium.js'
export { type ErdosRenyiTopology, erdosRenyi } from './topology/erdos-renyi.js'
export { type FanInOptions, type FanInTopology, fanIn } from './topology/fan-in.js'
export { type ProfileFamily, type ProfileOptions, type ProfileTopology, profile } from './topology/profile.js'
export { type ProfileFanIn, type ProfileFanInOptions, profileFanIn } from './topology/profile-fan-in.js'
export { type SavedTopology, savedTopology } from './topology/saved.js'
export type { InputPlacement, LayerDensity } from './topology/shared.js'
export {
  type SpatiallyCoupledOptions,
  type SpatiallyCoupledTopology,
  spatiallyCoupled,
} from './topology/spatially-coupled.js'
export type { RandomTopology, Topology } from './topology/topology.js'
export { type UniformTopology, uniform } from './topology/uniform.js'
export type { CheckpointOptions } from './train/checkpoint-options.js'
export type { EarlyStopping, EarlyStoppingOptions, Metric } from './train/early-stopping.js'
export type {
  CheckpointEvent,
  EndEvent,
  EpochEvent,
  Metrics,
  ProgressEvent,
  RewireEvent,
  RunEnd,
  RunEvent,
  RunResult,
} from './train/events.js'
export {
  type AdamOptimizer,
  type AdamOptions,
  adam,
  adamw,
  type Optimizer,
  type PenaltyOptions,
  type SgdOptimizer,
  type SgdOptions,
  sgd,
} from './train/optimizer.js'
export type { FitOptions, FitSettings } from './train/options.js'
export { Run } from './train/run.js'
export {
  type CosineOptions,
  constant,
  cosine,
  type LearningRateSchedule,
  type OneCycleOptions,
  oneCycle,
  type StepDecayOptions,
  stepDecay,
  type Warmup,
  type WarmupOptions,
} from './train/schedule.js'
export type { SampleChunk, SampleStream } from './train/stream.js'
