#include "base/daemon_call.h"

#include <string>

#include "base/r_call.h"
#include "tests/catch.h"

using namespace tenkai;

namespace {

std::string refusal_of(const std::string& value) {
  DaemonOptions options;
  Result<bool> read = read_daemon_field("daemon", value, options);
  return read ? "" : read.error().message;
}

}  // namespace

TEST_CASE("what a daemon is told becomes a call of R") {
  DaemonOptions options;
  CHECK(daemon_call("tcp://h:5", "", options, {}) == "tenkai::daemon('tcp://h:5')");
  options.tls = {"-----BEGIN\nit's \\", ""};
  options.arguments = {{"maxtasks", "5"}, {"cleanup", "FALSE"}};
  CHECK(daemon_call("fd:3", "@file", options, RandomStream{10407, 1, -2, 3, 4, 5, 6}) ==
        R"x(tenkai::daemon('fd:3',credential='@file',tls=c('-----BEGIN\nit\'s \\',''),)x"
        "maxtasks=5,cleanup=FALSE,rs=c(10407,1,-2,3,4,5,6))");
  std::string local = with_libraries("tenkai::daemon('u')");
  CHECK(local.ends_with(";tenkai::daemon('u')"));
  CHECK(local.find("TENKAI_LOCAL=1") != std::string::npos);
}

TEST_CASE("arguments of a daemon are numbers and logical values, and nothing that R would run") {
  for (const char* good : {"maxtasks=1", "idletime=1e+05", "walltime=-0.5", "cleanup=TRUE", "autoexit=NA",
                           "x.y_z=Inf", ".foo=NaN", "idletime=1.79769313486232e+308"})
    CHECK(refusal_of(good).empty());
  for (const char* bad : {"", "maxtasks", "=1", "maxtasks=", "maxtasks=system('x')", "maxtasks=1;q()",
                          "a b=1", "1a=1", "x=TRUE)", "x=--", "x=-", "x=c(1)", "x=e5", "x=\"a\""}) {
    CAPTURE(bad);
    CHECK(refusal_of(bad).find("is no argument of daemon() with a number, TRUE, FALSE or NA") !=
          std::string::npos);
  }
}

TEST_CASE("fields of a daemon are read again as they were written") {
  DaemonOptions options;
  options.arguments = {{"maxtasks", "5"}, {"autoexit", "NA"}};
  options.tls = {"two\nlines", ""};
  CHECK(to_lines(options) == "daemon=maxtasks=5\ndaemon=autoexit=NA\ntls=two%0Alines\ntls=\n");
  DaemonOptions again;
  CHECK(*read_daemon_field("daemon", "maxtasks=5", again));
  CHECK(*read_daemon_field("daemon", "autoexit=NA", again));
  CHECK(*read_daemon_field("tls", "two\nlines", again));
  CHECK(*read_daemon_field("tls", "", again));
  CHECK_FALSE(*read_daemon_field("colour", "red", again));
  CHECK(again == options);
  again.add_missing({{"maxtasks", "9"}, {"cleanup", "FALSE"}});
  CHECK(*again.find("maxtasks") == "5");
  CHECK(*again.find("cleanup") == "FALSE");
  CHECK_FALSE(again.is_true("cleanup"));
}

TEST_CASE("a stream of random numbers is seven numbers") {
  const RandomStream stream = {10407, -2147483647, 2147483647, 0, 4, 5, 6};
  CHECK(*parse_stream(to_text(stream)) == stream);
  for (const char* bad : {"", "1,2,3,4,5,6", "1,2,3,4,5,6,7,8", "1,2,3,4,5,6,x", "1,2,3,4,5,6,99999999999"})
    CHECK_FALSE(parse_stream(bad));
}
