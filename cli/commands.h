// The subcommands of `tenkai`, a file each.
#pragma once

namespace CLI {
class App;
}

namespace tenkai {

// Each runs its command when it was the one asked for, and sets the exit code.
void add_dispatcher_command(CLI::App& app, int& exit_code);
void add_agent_command(CLI::App& app, int& exit_code);
void add_status_command(CLI::App& app, int& exit_code);
void add_launch_command(CLI::App& app, int& exit_code);
void add_profile_command(CLI::App& app, int& exit_code);
void add_run_command(CLI::App& app, int& exit_code);
void add_carry_command(CLI::App& app, int& exit_code);
void add_plugin_command(CLI::App& app, int& exit_code);
void add_plugins_command(CLI::App& app, int& exit_code);
void add_clean_command(CLI::App& app, int& exit_code);
void add_version_command(CLI::App& app, int& exit_code);
void add_completion_command(CLI::App& app, int& exit_code);
// For who builds and packs the program: pages of all commands of `app`.
void add_man_command(CLI::App& app, int& exit_code);
void add_doctor_command(CLI::App& app, int& exit_code);

}  // namespace tenkai
