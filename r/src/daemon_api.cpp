// .Call wrappers for the daemon's side.
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "api.h"
#include "base/error_code.h"
#include "daemon.h"
#include "handlers.h"
#include "spawn.h"

namespace tenkai {

namespace {

SEXP daemon_tag() {
  static SEXP symbol = Rf_install("tenkai_daemon");
  return symbol;
}

void drop_daemon(SEXP pointer) {
  auto* daemon = static_cast<Daemon*>(R_ExternalPtrAddr(pointer));
  Relay::last_words();  // quit() in a task comes here first
  R_ClearExternalPtr(pointer);
  delete daemon;
}

Daemon& daemon_of(SEXP pointer) {
  void* address = nullptr;
  if (TYPEOF(pointer) == EXTPTRSXP && R_ExternalPtrTag(pointer) == daemon_tag()) {
    address = R_ExternalPtrAddr(pointer);
  }
  if (address == nullptr) throw std::runtime_error(text_of(Code::closed));
  return *static_cast<Daemon*>(address);
}

std::vector<std::string> arguments_of(SEXP argv) {
  std::vector<std::string> arguments;
  for (R_xlen_t i = 0; i < XLENGTH(argv); ++i) {
    arguments.emplace_back(utf8_of(STRING_ELT(argv, i)));
  }
  return arguments;
}

Limits limits_of(SEXP numbers) {
  const double* number = REAL(numbers);
  Limits limits;
  limits.at_end = static_cast<Autoexit>(static_cast<int>(number[0]));
  limits.signal = static_cast<int>(number[1]);
  limits.cleanup = static_cast<int>(number[2]);
  limits.max_tasks = number[3];
  limits.idle_ms = number[4];
  limits.wall_ms = number[5];
  limits.timer_start = number[6];
  limits.interactive = number[7] != 0;
  return limits;
}

}  // namespace

}  // namespace tenkai

using namespace tenkai;

// fd: a connected descriptor, or negative: dial the URL, for ever if it stays.
SEXP tk_daemon_open(SEXP url, SEXP version, SEXP fd, SEXP stays) {
  return guarded([&] {
    int given = Rf_asInteger(fd);
    bool waits = Rf_asLogical(stays) == TRUE;
    auto daemon = given < 0 ? std::make_unique<Daemon>(text_of(url), text_of(version), waits)
                            : std::make_unique<Daemon>(text_of(url), text_of(version), given);
    auto wrap = [&] {
      SEXP pointer = PROTECT(R_MakeExternalPtr(daemon.get(), daemon_tag(), R_NilValue));
      R_RegisterCFinalizerEx(pointer, drop_daemon, TRUE);
      UNPROTECT(1);
      return pointer;
    };
    SEXP pointer = safely(wrap);
    daemon.release();
    return pointer;
  });
}

SEXP tk_daemon_run(SEXP pointer, SEXP functions, SEXP limits) {
  return guarded([&] {
    GoneKind why = daemon_of(pointer).run(limits_of(limits), functions);
    return Rf_ScalarInteger(static_cast<int>(why));
  });
}

SEXP tk_daemon_redial(SEXP pointer) {
  return guarded([&] {
    daemon_of(pointer).redial();
    return R_NilValue;
  });
}

// Not guarded: it throws nothing, and R's jumps pass it as they are.
// The handlers end with the R function that calls this, whose frame is given.
SEXP tk_evaluate(SEXP calling, SEXP exiting, SEXP frame) {
  Evaluation* evaluation = Evaluation::current();
  if (evaluation == nullptr) Rf_error("no task is being evaluated");
  establish_exits(exiting, frame);
  establish_handlers(calling, frame);
  return evaluation->perform(frame);
}

// Whether the session will hear this condition, or list of a condition and its restarts.
SEXP tk_say(SEXP kind, SEXP object) {
  return guarded([&] {
    Relay* relay = Relay::current();
    if (relay == nullptr) return Rf_ScalarLogical(FALSE);
    Buffer bytes;
    auto write = [&] {
      serialize(object, bytes);
      return R_NilValue;
    };
    safely(write);
    if (bytes.size() > Relay::max_saying) return Rf_ScalarLogical(FALSE);
    relay->say(static_cast<Saying::Kind>(Rf_asInteger(kind)), bytes.view());
    return Rf_ScalarLogical(TRUE);
  });
}

SEXP tk_keep_packages() {
  if (Evaluation::current() != nullptr) Evaluation::current()->keep_packages();
  return R_NilValue;
}

SEXP tk_handling(SEXP interrupt) {
  if (Evaluation::current() != nullptr) Evaluation::current()->on_handler(Rf_asLogical(interrupt) == TRUE);
  return R_NilValue;
}

// An agent for this R: beside it as a child, or around it as its new parent.
// `source` is the descriptor from which the agent reads its credential, or
// negative; R keeps nothing of it. The descriptor on which the agent is reached.
SEXP tk_agent(SEXP argv, SEXP beside, SEXP source) {
  return guarded([&] {
    std::vector<std::string> arguments = arguments_of(argv);
    if (Rf_asLogical(beside) != TRUE) {
      return Rf_ScalarInteger(become_child_of(arguments, Rf_asInteger(source)));
    }
    for (std::string& argument : arguments) {
      if (argument == "@PID@") argument = std::to_string(getpid());
      if (argument == "@FD@") argument = "3";
    }
    return Rf_ScalarInteger(start_program(arguments, {}, true).fd);
  });
}

SEXP tk_replace(SEXP argv, SEXP fd) {
  return guarded([&]() -> SEXP {
    replace_with(arguments_of(argv), Rf_asInteger(fd));
    return R_NilValue;
  });
}

// Starts a program on its own, with nothing of ours but its output, and the text
// that it finds at its descriptor 3.
SEXP tk_launch(SEXP argv, SEXP environment, SEXP output, SEXP text) {
  return guarded([&] {
    bool shown = Rf_asLogical(output) == TRUE;
    std::string line = text_of(text);
    int fd = start_program(arguments_of(argv), arguments_of(environment), shown, Tie::none).fd;
    // A socket that nobody has read from yet takes a line at once. Without one it does
    // not matter who has ended already.
    ssize_t sent = line.empty() ? 0 : send(fd, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
    if (sent != static_cast<ssize_t>(line.size()))
      throw std::runtime_error("a daemon did not get its credential");
    return R_NilValue;
  });
}
