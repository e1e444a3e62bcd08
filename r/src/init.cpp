// The table of what R can call.
#include <R_ext/Rdynload.h>

#include "api.h"
#include "blocks.h"
#include "forked.h"
#include "internal.h"
#include "spawn.h"

namespace {

template <class Function>
R_CallMethodDef entry(const char* name, Function* function, int arguments) {
  return {name, reinterpret_cast<DL_FUNC>(reinterpret_cast<void*>(function)), arguments};
}

// How R calls what this package has in C++.
const R_CallMethodDef entries[] = {
    entry("tk_works_with", tk_works_with, 2),
    entry("tk_connect", tk_connect, 4),
    entry("tk_setup", tk_setup, 2),
    entry("tk_make_safe", tk_make_safe, 1),
    entry("tk_ask", tk_ask, 5),
    entry("tk_state", tk_state, 1),
    entry("tk_fd", tk_fd, 1),
    entry("tk_pid", tk_pid, 1),
    entry("tk_close", tk_close, 2),
    entry("tk_set_functions", tk_set_functions, 4),
    entry("tk_set_hooks", tk_set_hooks, 2),
    entry("tk_serialize_plain", tk_serialize_plain, 1),
    entry("tk_set_hook_functions", tk_set_hook_functions, 1),
    entry("tk_first_not_raw", tk_first_not_raw, 1),
    entry("tk_submit", tk_submit, 7),
    entry("tk_try_submit", tk_try_submit, 7),
    entry("tk_submit_to", tk_submit_to, 5),
    entry("tk_everywhere", tk_everywhere, 6),
    entry("tk_data", tk_data, 1),
    entry("tk_wait", tk_wait, 2),
    entry("tk_race", tk_race, 2),
    entry("tk_count_resolved", tk_count_resolved, 1),
    entry("tk_unresolved", tk_unresolved, 1),
    entry("tk_stop", tk_stop, 1),
    entry("tk_seed_tasks", tk_seed_tasks, 2),
    entry("tk_take_stream", tk_take_stream, 1),
    entry("tk_stream_after", tk_stream_after, 2),
    entry("tk_name_promise", tk_name_promise, 0),
    entry("tk_watch", tk_watch, 1),
    entry("tk_watched_link", tk_watched_link, 1),
    entry("tk_watch_fds", tk_watch_fds, 1),
    entry("tk_ripe", tk_ripe, 1),
    entry("tk_here", tk_here, 5),
    entry("tk_stopped_here", tk_stopped_here, 0),
    entry("tk_mirais", tk_mirais, 1),
    entry("tk_has_map", tk_has_map, 1),
    entry("tk_values", tk_values, 1),
    entry("tk_map_begin", tk_map_begin, 4),
    entry("tk_map_id", tk_map_id, 1),
    entry("tk_map_send", tk_map_send, 2),
    entry("tk_map_is_here", tk_map_is_here, 1),
    entry("tk_map_left", tk_map_left, 1),
    entry("tk_map_wait", tk_map_wait, 3),
    entry("tk_map_values", tk_map_values, 2),
    entry("tk_map_failed", tk_map_failed, 1),
    entry("tk_map_stop", tk_map_stop, 1),
    entry("tk_map_answered", tk_map_answered, 1),
    entry("tk_map_mirai", tk_map_mirai, 2),
    entry("tk_is_safe", tk_is_safe, 1),
    entry("tk_error_words", tk_error_words, 1),
    entry("tk_daemon_open", tk_daemon_open, 4),
    entry("tk_daemon_run", tk_daemon_run, 3),
    entry("tk_daemon_redial", tk_daemon_redial, 1),
    entry("tk_evaluate", tk_evaluate, 3),
    entry("tk_say", tk_say, 2),
    entry("tk_keep_packages", tk_keep_packages, 0),
    entry("tk_handling", tk_handling, 1),
    entry("tk_agent", tk_agent, 3),
    entry("tk_replace", tk_replace, 2),
    entry("tk_launch", tk_launch, 4),
    entry("tk_share", tk_share, 1),
    entry("tk_is_network", tk_is_network, 1),
    entry("tk_random_hex", tk_random_hex, 1),
    entry("tk_daemon_call", tk_daemon_call, 6),
    entry("tk_draw", tk_draw, 0),
    entry("tk_addresses", tk_addresses, 0),
    entry("tk_ports_in_use", tk_ports_in_use, 0),
    entry("tk_is_mine", tk_is_mine, 1),
    {nullptr, nullptr, 0},
};

}  // namespace

extern "C" void R_init_tenkai(DllInfo* library) {
  tenkai::fill_standard_descriptors();
  tenkai::count_forks();
  tenkai::make_internal_calls();
  R_registerRoutines(library, nullptr, entries, nullptr, nullptr);
  R_useDynamicSymbols(library, FALSE);
  R_forceSymbols(library, TRUE);
  tenkai::make_block_classes(library);
}
