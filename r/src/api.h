// What R calls. Each is a few lines around guarded().
#pragma once

#include "crossing.h"

extern "C" {
// session.cpp
SEXP tk_works_with(SEXP own, SEXP theirs);
SEXP tk_connect(SEXP program, SEXP environment, SEXP output, SEXP version);
SEXP tk_setup(SEXP link, SEXP settings);
SEXP tk_make_safe(SEXP link);
SEXP tk_ask(SEXP link, SEXP name, SEXP payload, SEXP numbers, SEXP limit_ms);
SEXP tk_state(SEXP link);
SEXP tk_fd(SEXP link);
SEXP tk_pid(SEXP link);
SEXP tk_close(SEXP link, SEXP kind);
SEXP tk_set_functions(SEXP reader_factory, SEXP tell, SEXP hear, SEXP evaluation_space);
SEXP tk_set_hooks(SEXP link, SEXP hooks);
// plain.cpp
SEXP tk_serialize_plain(SEXP object);
// hooks.cpp
SEXP tk_set_hook_functions(SEXP functions);
SEXP tk_first_not_raw(SEXP list);
// tasks.cpp
SEXP tk_submit(SEXP link, SEXP expr, SEXP globals, SEXP args, SEXP timeout, SEXP time_request, SEXP relay);
SEXP tk_try_submit(SEXP link, SEXP expr, SEXP globals, SEXP args, SEXP timeout, SEXP time_request,
                   SEXP relay);
SEXP tk_submit_to(SEXP link, SEXP slot, SEXP expr, SEXP globals, SEXP args);
SEXP tk_everywhere(SEXP link, SEXP expr, SEXP globals, SEXP args, SEXP count, SEXP minimum);
SEXP tk_data(SEXP mirai);
SEXP tk_wait(SEXP mirai, SEXP seconds);
SEXP tk_race(SEXP list, SEXP seconds);
SEXP tk_count_resolved(SEXP list);
SEXP tk_unresolved(SEXP object);
SEXP tk_stop(SEXP mirai);
SEXP tk_seed_tasks(SEXP link, SEXP stream);
SEXP tk_take_stream(SEXP link);
SEXP tk_stream_after(SEXP stream, SEXP count);
// promises.cpp
SEXP tk_name_promise();
SEXP tk_watch(SEXP mirai);
SEXP tk_watched_link(SEXP mirai);
SEXP tk_watch_fds(SEXP link);
SEXP tk_ripe(SEXP link);
// here.cpp
SEXP tk_stopped_here();
SEXP tk_here(SEXP functions, SEXP parcel, SEXP everywhere, SEXP cleanup, SEXP hooks);
// search.cpp
SEXP tk_mirais(SEXP list);
SEXP tk_has_map(SEXP list);
SEXP tk_values(SEXP list);
SEXP tk_error_words(SEXP code);
// map.cpp
SEXP tk_map_begin(SEXP link, SEXP shared, SEXP count, SEXP chunk);
SEXP tk_map_id(SEXP map);
SEXP tk_map_send(SEXP map, SEXP list);
SEXP tk_map_is_here(SEXP map);
SEXP tk_map_left(SEXP map);
SEXP tk_map_wait(SEXP map, SEXP left, SEXP or_failed);
SEXP tk_map_values(SEXP map, SEXP indices);
SEXP tk_map_failed(SEXP map);
SEXP tk_map_stop(SEXP map);
SEXP tk_map_answered(SEXP map);
SEXP tk_map_mirai(SEXP map, SEXP index);
SEXP tk_is_safe(SEXP link);
// daemon_api.cpp
SEXP tk_daemon_open(SEXP url, SEXP version, SEXP fd, SEXP stays);
SEXP tk_daemon_run(SEXP daemon, SEXP functions, SEXP limits);
SEXP tk_daemon_redial(SEXP daemon);
SEXP tk_evaluate(SEXP calling, SEXP exiting, SEXP frame);
SEXP tk_say(SEXP kind, SEXP object);
SEXP tk_keep_packages();
SEXP tk_handling(SEXP interrupt);
SEXP tk_agent(SEXP argv, SEXP beside, SEXP source);
SEXP tk_replace(SEXP argv, SEXP fd);
SEXP tk_launch(SEXP argv, SEXP environment, SEXP output, SEXP text);
// share.cpp
SEXP tk_share(SEXP object);
// url_api.cpp
SEXP tk_is_network(SEXP urls);
// host.cpp
SEXP tk_random_hex(SEXP bytes);
SEXP tk_daemon_call(SEXP url, SEXP credential, SEXP tls, SEXP names, SEXP values, SEXP local);
SEXP tk_draw();
SEXP tk_addresses();
SEXP tk_ports_in_use();
SEXP tk_is_mine(SEXP path);
}
