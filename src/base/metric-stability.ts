/** What Kubernetes promises of a metric's name and labels (KEP-1209); most are `ALPHA`. */
export type Stability = 'ALPHA' | 'BETA' | 'STABLE';

const stable = new Set([
  'apiserver_admission_controller_admission_duration_seconds',
  'apiserver_admission_step_admission_duration_seconds',
  'apiserver_admission_webhook_admission_duration_seconds',
  'apiserver_current_inflight_requests',
  'apiserver_longrunning_requests',
  'apiserver_request_duration_seconds',
  'apiserver_request_total',
  'apiserver_requested_deprecated_apis',
  'apiserver_response_sizes',
  'apiserver_storage_objects',
  'apiserver_storage_size_bytes',
  'cronjob_controller_job_creation_skew_duration_seconds',
  'job_controller_job_pods_finished_total',
  'job_controller_job_sync_duration_seconds',
  'job_controller_job_syncs_total',
  'job_controller_jobs_finished_total',
  'kubernetes_healthcheck',
  'kubernetes_healthchecks_total',
  'node_collector_evictions_total',
  'scheduler_framework_extension_point_duration_seconds',
  'scheduler_pending_pods',
  'scheduler_pod_scheduling_attempts',
  'scheduler_preemption_attempts_total',
  'scheduler_preemption_victims',
  'scheduler_queue_incoming_pods_total',
  'scheduler_schedule_attempts_total',
  'scheduler_scheduling_attempt_duration_seconds',
]);

const beta = new Set([
  'apiserver_cel_compilation_duration_seconds',
  'apiserver_cel_evaluation_duration_seconds',
  'apiserver_flowcontrol_current_executing_requests',
  'apiserver_flowcontrol_current_executing_seats',
  'apiserver_flowcontrol_current_inqueue_requests',
  'apiserver_flowcontrol_dispatched_requests_total',
  'apiserver_flowcontrol_nominal_limit_seats',
  'apiserver_flowcontrol_rejected_requests_total',
  'apiserver_flowcontrol_request_wait_duration_seconds',
  'apiserver_storage_events_received_total',
  'apiserver_validating_admission_policy_check_duration_seconds',
  'apiserver_validating_admission_policy_check_total',
  'apiserver_watch_list_duration_seconds',
  'disabled_metrics_total',
  'hidden_metrics_total',
  'kubernetes_build_info',
  'kubernetes_feature_enabled',
  'prober_probe_total',
  'registered_metrics_total',
  'running_managed_controllers',
  'scheduler_pod_scheduling_sli_duration_seconds',
  'workqueue_adds_total',
  'workqueue_depth',
  'workqueue_longest_running_processor_seconds',
  'workqueue_queue_duration_seconds',
  'workqueue_retries_total',
  'workqueue_unfinished_work_seconds',
  'workqueue_work_duration_seconds',
]);

/** Undefined for what is told of every process, in whatever it is written. */
export function stabilityOf(metric: string): Stability | undefined {
  if (stable.has(metric)) return 'STABLE';
  if (beta.has(metric)) return 'BETA';
  return metric.startsWith('process_') ? undefined : 'ALPHA';
}
