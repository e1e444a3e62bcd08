#include "ending.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "forked.h"

namespace tenkai {

namespace {

// What the signal handler reads; written only while it cannot run.
int watched_fd = -1;
int chosen_signal = 0;
pid_t owner = 0;
unsigned generation = 0;
bool wanted = false;
int flags = 0;
volatile sig_atomic_t acted = 0;

constexpr unsigned patience = 5;  // seconds for R to obey the interrupt

bool has_ended() {
  pollfd stream{watched_fd, POLLRDHUP, 0};
  return poll(&stream, 1, 0) > 0 && (stream.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

// Daemons are leaders of their groups, so that what their tasks have started
// ends with them; only one that a person has started may not be.
bool leads_group() { return getpgrp() == owner; }

void on_sigalrm(int) { kill(leads_group() ? 0 : owner, SIGKILL); }

void act() {
  if (acted || getpid() != owner || !has_ended()) return;
  acted = 1;
  if (chosen_signal != 0) {
    kill(owner, chosen_signal);
    return;
  }
  // Code that does not look for interrupts, or catches them, is ended by force,
  // whatever R or a package has done to that signal.
  signal(SIGALRM, on_sigalrm);
  alarm(patience);
  // The last thing to do: R may be in a Sys.sleep(), from which it jumps out of
  // the signal handler and over us.
  kill(leads_group() ? 0 : owner, SIGINT);
}

void on_sigio(int) {
  int kept = errno;
  act();
  errno = kept;
}

}  // namespace

void watch_for_end(int fd, Autoexit then, int signal_number) {
  watched_fd = fd;
  owner = getpid();
  generation = fork_generation();
  chosen_signal = signal_number;
  wanted = then == Autoexit::now;
  acted = 0;
  if (!wanted) return;
  struct sigaction action {};
  action.sa_handler = on_sigio;
  action.sa_flags = SA_RESTART;
  sigaction(SIGIO, &action, nullptr);
  fcntl(fd, F_SETOWN, owner);
  flags = fcntl(fd, F_GETFL);
}

Watching::Watching() {
  if (!wanted) return;
  fcntl(watched_fd, F_SETFL, flags | O_ASYNC);
  // It may have ended before we asked to be told.
  if (has_ended()) act();
}

Watching::~Watching() {
  if (!wanted || fork_generation() != generation) return;
  fcntl(watched_fd, F_SETFL, flags);
}

}  // namespace tenkai
