// Starting the program `tenkai` from R: as a child that serves this session, or
// around this process, as the agent of an R daemon.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace tenkai {

struct Started {
  pid_t pid;
  int fd;          // our end of the socketpair
  int words = -1;  // a file with what it writes to standard error, where that is kept
};

// Opens those of the descriptors 0 to 2 that are closed: a socket there would get what
// R prints.
void fill_standard_descriptors();

// Starts `argv` with one end of a new socketpair as its descriptor 3, nothing
// else of ours, and a session of its own. `environment` are "NAME=value" that
// are set, or "NAME" that are unset, in the child. Its output goes where ours
// goes, or nowhere; the errors of a child then are kept in a file. With Tie::none
// it becomes nobody's child and `pid` says nothing. Throws std::runtime_error with
// the reason.
enum class Tie { child, none };
Started start_program(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
                      bool output, Tie tie = Tie::child);

// Splits this process: the original, with its process id and whoever waits for
// it, becomes the program `argv`; the copy returns, as its child, with one end of
// a socketpair. In argv "@PID@" and "@FD@" stand for the copy and the other end.
// The descriptor `source`, unless negative, stays with the original.
int become_child_of(std::vector<std::string> argv, int source);

// Becomes the program, with that descriptor as its 3 where it is not negative; only returns by throwing.
void replace_with(const std::vector<std::string>& argv, int session_fd);

// Ends a forked copy of R without running anything of R's.
[[noreturn]] void leave_at_once(int code);

// "was killed by signal 9", "exited with code 1", or empty when it is not known.
std::string how_it_ended(pid_t child);
// The last lines of what a program has written to that file.
std::string last_words(int words);
// Waits for an ended child at some later occasion, so that no zombie stays.
void reap_later(pid_t child);

}  // namespace tenkai
