#include "scheduler/setup.h"

#include <chrono>
#include <string>
#include <vector>

#include "tests/catch.h"

using namespace tenkai;
using namespace std::chrono_literals;

namespace {

std::string refusal_of(const std::string& lines) {
  Result<Setup> setup = parse_setup("policy=queue\ndaemons=1\n" + lines);
  return setup ? "" : setup.error().message;
}

}  // namespace

TEST_CASE("each setting comes to its place") {
  Result<Setup> setup = parse_setup(
      "policy=queue\ndaemons=3\nlocal=1\ndaemon=maxtasks=5\ndaemon=output=TRUE\ntoken=1\nrespawn=0\ninsecure="
      "1\n"
      "patience_ms=1\nreconnect_ms=2\nkill_after_ms=3\nmemory_limit=4\ndaemon_memory=5\nports=6-7\n"
      "tls_pem=pem\ntls_file=file\ntls_password=password\ncredential_file=credential\nprofile=gpu\n"
      "rscript=/bin/R\ndaemon=autoexit=NA\nurl=tcp://127.0.0.1:0\nstream=10407,1,-2,3,4,5,6\n"
      "deploy=gpu\nconfiguration=plugin=ssh%0A\nretries=3\n");

  REQUIRE(setup);
  CHECK(setup->policy == Policy::queue);
  CHECK(setup->daemons == 3U);
  CHECK(setup->local_daemons() == 3);
  CHECK(setup->slots() == 3);
  CHECK(*setup->daemon.find("maxtasks") == "5");
  CHECK((setup->shows_output() && setup->tokens && setup->insecure && setup->says_retries));
  CHECK(setup->stream == RandomStream{10407, 1, -2, 3, 4, 5, 6});
  CHECK(setup->deploy == "gpu");
  CHECK(setup->configuration == "plugin=ssh\n");
  CHECK_FALSE(setup->respawn);
  CHECK(setup->patience == 1ms);
  CHECK(setup->reconnect == 2ms);
  CHECK(setup->kill_after == 3ms);
  CHECK(setup->memory_limit == 4U);
  CHECK(setup->daemon_memory == 5U);
  CHECK(setup->first_port == 6);
  CHECK(setup->last_port == 7);
  CHECK(setup->tls_pem == "pem");
  CHECK(setup->tls_file == "file");
  CHECK(setup->tls_password == "password");
  CHECK(setup->credential_file == "credential");
  CHECK(setup->profile == "gpu");
  CHECK(setup->rscript == "/bin/R");
  CHECK(setup->daemon.autoexit() == Autoexit::finish);
  CHECK(setup->urls.size() == 1);
}

TEST_CASE("a value that is none is refused by the name of its setting") {
  CHECK(refusal_of("") == "");
  CHECK(refusal_of("daemons=x") == "the setting daemons is 'x', it must be a whole number from 0 to 100000");
  CHECK(refusal_of("local=x") == "the setting local is 'x', it must be 0 or 1");
  CHECK(refusal_of("stream=1,2") ==
        "the setting stream is '1,2', it must be a .Random.seed of seven numbers");
  CHECK(refusal_of("daemon=maxtasks=system('x')").find("no argument of daemon() with a number") !=
        std::string::npos);
  CHECK(refusal_of("token=yes") == "the setting token is 'yes', it must be 0 or 1");
  CHECK(refusal_of("kill_after_ms=-1") ==
        "the setting kill_after_ms is '-1', it must be a whole number of milliseconds");
  CHECK(refusal_of("daemon_memory=2G") == "the setting daemon_memory is '2G', it must be a number of bytes");
  CHECK(refusal_of("ports=9-8") == "the setting ports is '9-8', it must be ports such as 60000-61000");
  CHECK(refusal_of("policy=any") ==
        "the setting policy is 'any', it must be queue, open, direct or ephemeral");
  CHECK(refusal_of("nonsense=1").find("'nonsense' is not a setting") == 0);
}

TEST_CASE("where nobody says how many daemons there are, there is one for each URL") {
  Setup setup = *parse_setup("policy=queue\nurl=ws://127.0.0.1:0/a\nurl=ws://127.0.0.1:0/b\n");
  REQUIRE(settle(setup));
  CHECK(setup.slots() == 2);
  CHECK(setup.local_daemons() == 0);
  Setup none;
  CHECK(settle(none).error().message == "the number of daemons must be 1 or greater");
  Setup many = *parse_setup("policy=queue\ndaemons=60000\n");
  CHECK(settle(many));
  many.spare = 60000;
  CHECK(settle(many).error().message ==
        "a dispatcher has at most 100000 slots, and these daemons need 120000");
  Setup kept = *parse_setup("policy=queue\ndaemons=1\ncredential_file=/x\n");
  CHECK(settle(kept).error().message.find("'credential' is for URLs that are reached over the network") == 0);
}
