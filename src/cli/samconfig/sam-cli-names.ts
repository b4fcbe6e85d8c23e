/** The sections that commands of AWS SAM CLI 1.170 read: `[default.build.parameters]`. */
export const COMMANDS: ReadonlySet<string> = new Set(
  (
    'build delete deploy docs init list_endpoints list_resources list_stack_outputs local_callback_fail ' +
    'local_callback_heartbeat local_callback_succeed local_execution_get local_execution_history local_execution_stop ' +
    'local_invoke local_start_api local_start_lambda logs package pipeline_bootstrap pipeline_init publish ' +
    'remote_callback_fail remote_callback_heartbeat remote_callback_succeed remote_execution_get ' +
    'remote_execution_history remote_execution_stop remote_invoke remote_test_event_delete remote_test_event_get ' +
    'remote_test_event_list remote_test_event_put sync traces validate'
  ).split(' '),
);

/** The keys that its other commands read there. */
export const KEYS_OF_OTHER_COMMANDS: ReadonlySet<string> = new Set(
  (
    'add_host app_template application_id application_insights architecture base_image bitbucket_repo_uuid body bucket ' +
    'build_dir cache_dir cached callback_id cicd_provider cloudformation_execution_role config_env config_file ' +
    'confirm_changeset container_dns container_env_vars container_host container_host_interface ' +
    'create_image_repository cw_log_group debug_args debug_function debug_port debugger_path dependency_manager ' +
    'deployment_branch disable_authorizer disable_rollback docker_network docker_volume_basedir durable_execution_name ' +
    'end_time env_vars error_data error_message error_type event event_file exclude execution_role extra_context ' +
    'fail_on_empty_changeset fail_on_same_version filter force_image_build force_upload format function_logical_id ' +
    'function_logical_ids github_org github_repo gitlab_group gitlab_project guided hook_name host include_traces ' +
    'interactive invocation_type invoke_image layer_cache_basedir lint location log_file manifest max_wait_duration ' +
    'mount_symlinks mount_with name no_event no_execute_changeset no_input no_interactive no_memory_limit ' +
    'no_progressbar no_prompts no_watch oidc_client_id oidc_provider oidc_provider_url on_failure output output_dir ' +
    'output_file output_template_file package_type parallel parameter permissions_provider pipeline_execution_role ' +
    'pipeline_user port path resource_logical_id result runtime semantic_version shutdown signing_profiles ' +
    'skip_prepare_infra skip_pull_image ssl_cert_file ssl_key_file stack_trace stage start_time static_dir stream ' +
    'structured_logging table tenant_id terraform_plan_file terraform_project_root_path test_event_name trace_id ' +
    'tracing trigger use_buildkit use_json warm_containers'
  ).split(' '),
);
