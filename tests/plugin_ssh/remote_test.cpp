#include "plugins/ssh/remote.h"

#include "plugins/ssh/client_line.h"
#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::ssh;

namespace {

Remote remote_of(std::string_view text) {
  Result<Remote> remote = parse_remote(text);
  INFO(text);
  REQUIRE(remote.has_value());
  return *remote;
}

LaunchRequest launch_to(const std::string& remote) {
  LaunchRequest launch;
  launch.command = {"Rscript", "-e", "tenkai::agent('ws://host:5555/1')"};
  launch.options["remote"] = {remote};
  return launch;
}

std::string line_of(const LaunchRequest& launch) {
  Result<SshRequest> request = read_request(launch);
  return request ? client_line(*request, launch.command) : request.error().message;
}

}  // namespace

TEST_CASE("a remote is a URL, or what ssh takes") {
  CHECK(remote_of("ssh://10.75.32.90:22") == Remote{"", "10.75.32.90", 22});
  CHECK(remote_of("ssh://anna@node7:2222/") == Remote{"anna", "node7", 2222});
  CHECK(remote_of("node7") == Remote{"", "node7", 0});
  CHECK(remote_of("anna@uni.example@login1") == Remote{"anna@uni.example", "login1", 0});
  CHECK(remote_of("ssh://[::1]:2222") == Remote{"", "::1", 2222});
  CHECK(remote_of("ssh://[fe80::1%eth0]") == Remote{"", "fe80::1%eth0", 0});
  CHECK(remote_of("::1") == Remote{"", "::1", 0});
  CHECK(to_string(remote_of("ssh://anna@[::1]:2222")) == "anna@[::1]:2222");
}

TEST_CASE("a remote holds nothing that ssh takes for an option, or a shell for code") {
  for (const char* text :
       {"", "ssh://", "-oProxyCommand=id", "-l@host", "anna@-host", "a b", "host;id", "$(id)", "`id`",
        "host:0", "host:65536", "host:x", "ssh://host:22:", "@host", "anna@", "a\nb", "host/path"}) {
    INFO(text);
    CHECK_FALSE(parse_remote(text).has_value());
  }
  CHECK_FALSE(parse_remote(std::string(256, 'a')).has_value());
}

TEST_CASE("a line to run by hand reads like one that a person has written") {
  LaunchRequest launch = launch_to("ssh://10.75.32.90:22");

  CHECK(
      line_of(launch) ==
      R"(ssh -T -o ConnectTimeout=10 -p 22 10.75.32.90 "Rscript -e \"tenkai::agent('ws://host:5555/1')\"")");

  launch = launch_to("anna@node7");
  launch.options["timeout"] = {"3"};
  launch.options["tunnel"] = {"1"};
  launch.urls = {"ws://localhost:5555/1", "ws://127.0.0.1:5555/2", "tcp://localhost:5556"};
  launch.command = {"true"};
  CHECK(
      line_of(launch) ==
      "ssh -T -o ConnectTimeout=3 -o ExitOnForwardFailure=yes -R 5555:localhost:5555 -R 5556:localhost:5556 "
      "anna@node7 true");

  launch = launch_to("node7");
  launch.options["client"] = {"/opt/my ssh"};
  launch.options["config"] = {"my_config"};
  launch.options["client_args"] = {"-o", "Compression=yes", "-v"};
  launch.command = {"-x"};
  CHECK(line_of(launch) ==
        "'/opt/my ssh' -T -o ConnectTimeout=10 -F my_config -o Compression=yes -v -- node7 -x");
}

TEST_CASE("the client has nobody to ask, and takes nothing behind the host for an option") {
  Result<SshRequest> request = read_request(launch_to("ssh://anna@node7:2222"));
  REQUIRE(request.has_value());

  std::vector<std::string> argv = client_argv(*request, {5555}, "-x");

  std::vector<std::string> expected{"ssh", "-T",
                                    "-o",  "BatchMode=yes",
                                    "-o",  "ConnectTimeout=10",
                                    "-o",  "ServerAliveInterval=15",
                                    "-o",  "ServerAliveCountMax=2",
                                    "-o",  "ExitOnForwardFailure=yes",
                                    "-R",  "127.0.0.1:5555:localhost:5555",
                                    "-p",  "2222",
                                    "--",  "anna@node7",
                                    "-x"};
  CHECK(argv == expected);
  CHECK(settings_argv(*request) == std::vector<std::string>{"ssh", "-G", "-p", "2222", "--", "anna@node7"});
}

TEST_CASE("options that make no sense are refused with a reason") {
  LaunchRequest launch = launch_to("node7");
  for (const char* timeout : {"0", "-1", "x", "601", "1.5"}) {
    launch.options["timeout"] = {timeout};
    CHECK_FALSE(read_request(launch).has_value());
  }
  launch.options["timeout"] = {"600"};
  CHECK(read_request(launch).has_value());
  launch.options["tunnel"] = {"1"};
  CHECK_FALSE(read_request(launch).has_value());
  launch.urls = {"ws://login1:5555/1"};
  CHECK(line_of(launch).find("ws://login1:5555/1") != std::string::npos);
  launch.urls = {"ws://127.0.0.1:0/1"};
  CHECK_FALSE(read_request(launch).has_value());
}
