#include "launcher/plugin/failure.h"

#include "tests/catch.h"

using namespace tenkai;

namespace {

FailureCause cause_of(int code, const std::string& log, const std::string& rscript = "Rscript") {
  return judge({code, {}, log, "node7", rscript}).cause;
}

}  // namespace

TEST_CASE("each cause has a word of its own") {
  for (int i = 0; i <= static_cast<int>(cause::unknown); ++i) {
    auto each = static_cast<FailureCause>(i);
    CHECK(cause_named(name_of(each)) == each);
  }
  CHECK(name_of(cause::oom) == "oom");
  CHECK(name_of(cause::unknown) == "unknown");
  CHECK_FALSE(cause_named("Oom"));
}

TEST_CASE("no Rscript is recognised as every shell says it") {
  CHECK(cause_of(127, "sh: 1: Rscript: not found\n") == cause::rscript_missing);
  CHECK(cause_of(127, "bash: line 1: Rscript: command not found\n") == cause::rscript_missing);
  CHECK(cause_of(127, "zsh:1: command not found: Rscript\n") == cause::rscript_missing);
  CHECK(cause_of(1, "Rscript: Command not found.\n") == cause::rscript_missing);
  CHECK(cause_of(127, "env: \xE2\x80\x98Rscript\xE2\x80\x99: No such file or directory\n") ==
        cause::rscript_missing);
  CHECK(cause_of(127, "exec: \"Rscript\": executable file not found in $PATH\n") == cause::rscript_missing);
  CHECK(cause_of(127, "bash: /opt/R/bin/Rscript: No such file or directory\n", "/opt/R/bin/Rscript") ==
        cause::rscript_missing);
}

TEST_CASE("something else that is missing is not taken for Rscript") {
  CHECK(cause_of(127, "sh: 1: srun: not found\n") == cause::exited);
  CHECK(cause_of(1, "cannot open file '/site/Rscript_setup.R': No such file or directory\n") ==
        cause::exited);
  CHECK(cause_of(127,
                 "/usr/lib/R/bin/Rscript: error while loading shared libraries: libR.so: cannot open shared "
                 "object file: No such file or directory\n") == cause::exited);
  CHECK(cause_of(127,
                 "Rscript: error while loading shared libraries: libR.so: cannot open shared object "
                 "file: No such file or directory\n") == cause::exited);
  CHECK(cause_of(127, "/usr/bin/Rscript: line 3: /opt/R/bin/R: No such file or directory\n") ==
        cause::exited);
  CHECK(cause_of(1, "bash: /etc/profile.d/Rscript.sh: No such file or directory\noh dear\n") ==
        cause::exited);
}

TEST_CASE("a missing package is recognised, in any language of R") {
  CHECK(cause_of(1,
                 "Error in loadNamespace(x) : there is no package called \xE2\x80\x98tenkai\xE2\x80\x99\n") ==
        cause::package_missing);
  CHECK(cause_of(1,
                 "Fehler in loadNamespace(x) : es gibt kein Paket namens \xE2\x80\x98tenkai\xE2\x80\x99\n") ==
        cause::package_missing);
  CHECK(cause_of(1,
                 "Fehler in loadNamespace(j <- i[[1L]], versionCheck = vI[[j]]) : \n"
                 "  es gibt kein Paket namens \xE2\x80\x98tenkai\xE2\x80\x99\n") == cause::package_missing);
  CHECK(cause_of(1, "Error in library(jsonlite) : there is no package called 'jsonlite'\n") == cause::exited);
  CHECK(cause_of(1,
                 "Error in library(jsonlite) : there is no package called 'jsonlite'\n"
                 "tenkai agent: 6 | Connection refused: cannot connect to tcp://h:5555\n") ==
        cause::url_unreachable);
}

TEST_CASE("a missing program and another version are told apart") {
  CHECK(cause_of(1, "Error: the program 'tenkai' was not found. Tried:\n") == cause::program_missing);
  CHECK(cause_of(1,
                 "tenkai agent: this is tenkai 0.2.0, the other end is tenkai 0.1.0: install the same "
                 "version on both sides\n") == cause::version);
  CHECK(cause_of(1, "Error: 'agent' is not an exported object from 'namespace:tenkai'\n") == cause::version);
}

TEST_CASE("a daemon that cannot reach the dispatcher says which address it tried, and why not") {
  Failure failure = judge(
      {1, {}, "tenkai agent: 6 | Connection refused: cannot connect to tcp://h:5555\n", "node7", "Rscript"});

  CHECK(failure.cause == cause::url_unreachable);
  CHECK(failure.message.find("on node7") != std::string::npos);
  CHECK(failure.message.find("6 | Connection refused: cannot connect to tcp://h:5555") != std::string::npos);
}

TEST_CASE("others that cannot connect, or lack a credential, are not taken for the daemon") {
  CHECK(cause_of(1, "Warning: cannot connect to X server localhost:10\n") == cause::exited);
  CHECK(cause_of(1, "squeue: cannot connect to controller\n") == cause::exited);
  CHECK(cause_of(1, "kinit: this credential cache is not writable\n") == cause::exited);
}

TEST_CASE("a daemon that is not let in is no matter of the network") {
  CHECK(cause_of(1, "tenkai agent: tcp://h:1: this credential, for slot 1, has been used already\n") ==
        cause::refused);
}

TEST_CASE("a daemon that does not find its credential does not see the session's folder") {
  std::string path = "no credential from @/home/x/.cache/tenkai/ab/7: ";
  CHECK(cause_of(1, "tenkai agent: " + path +
                        "/home/x/.cache/tenkai/ab cannot be used: No such file or directory\n") ==
        cause::folder_missing);
  CHECK(cause_of(1, "tenkai agent: " + path + "others can read it\n") == cause::refused);
}

TEST_CASE("what cannot be told is not guessed, and the last lines are shown") {
  Failure code = judge({3, {}, "one\ntwo\n", "", "Rscript"});
  CHECK(code.cause == cause::exited);
  CHECK(code.message ==
        "the command ended with exit code 3 before its daemons had joined; its last lines:\none\ntwo");

  Failure signal = judge({{}, 9, "", "node7", "Rscript"});
  CHECK(signal.cause == cause::killed);
  CHECK(signal.message.find("by signal 9 (Killed)") != std::string::npos);

  CHECK(judge({}).cause == cause::unknown);
}

TEST_CASE("a command that repeats its credential does not get it into our messages") {
  CHECK(redacted("one\ndGVua2FpAXa6-_k: two dGVua2Fp\n") == "one\n<credential>: two <credential>\n");
  CHECK(redacted("nothing") == "nothing");
}

TEST_CASE("why an R is not started again is told with how often it was tried, or what is missing") {
  CHECK(judge_r({3, {}, "no such library\n", "node7", {}}, 3).message ==
        "its R ended on node7 with exit code 3, 3 times in a row before it was ready; its last lines:\n"
        "no such library");
  CHECK(judge_r({{}, 9, "", {}, {}}, 0).message ==
        "its R was killed by signal 9, again and again with nothing done; it wrote nothing");
  CHECK(judge_r({1, {}, "Error: there is no package called 'tenkai'\n", {}, {}}, 1).cause ==
        cause::package_missing);
  // One that was ready has it: these are the words of a task.
  CHECK(judge_r({1, {}, "Error: there is no package called 'tenkai'\n", {}, {}}, 0).cause == cause::exited);
}

TEST_CASE("a job that could not bring along what it missed says why") {
  Failure failure =
      judge({1,
             {},
             "tenkai: it could not be brought along: No space left on device\n"
             "Error in loadNamespace(x) : there is no package called \xE2\x80\x98tenkai\xE2\x80\x99\n",
             "node7",
             ""});
  CHECK(failure.cause == cause::package_missing);
  CHECK(failure.message.ends_with("; it could not be brought along: No space left on device"));
}

TEST_CASE("a worker of another program is judged by its own program and package") {
  auto judged = [](int code, const std::string& log, const std::string& program) {
    return judge_worker({code, {}, log, "node7", program});
  };
  Failure missing = judged(127, "/bin/sh: 1: /no/Rscript: not found\n", "/no/Rscript");
  CHECK(missing.cause == cause::rscript_missing);
  CHECK(missing.message.starts_with("'/no/Rscript' was not found on node7: "));
  CHECK(judged(127, "sh: 1: python9: not found\n", "python9").cause == cause::exited);
  Failure package = judged(1,
                           "Error in library(crew) : there is no package called \xE2\x80\x98"
                           "crew\xE2\x80\x99\n",
                           "Rscript");
  CHECK(package.cause == cause::package_missing);
  CHECK(package.message.find("there is no package called") != package.message.npos);
  CHECK(judged(3, "oh\n", "Rscript").message == "it ended on node7 with exit code 3; its last lines:\noh");
  CHECK(judge_worker({{}, 9, "", "", "Rscript"}).cause == cause::killed);
}
