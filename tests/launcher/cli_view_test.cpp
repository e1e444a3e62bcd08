#include "launcher/view/view.h"

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "launcher/view/show_view.h"
#include "tests/catch.h"

using namespace tenkai;

namespace {

const std::string whole =
    "profile=gpu\npolicy=queue\nautoexit=na\nsession_pid=4700\nuptime_ms=192000\nwaiting=3\nrunning=1\ndone="
    "12\n"
    "news=of a later version\n\n"
    "1\n"
    "ws://h:1/1\t1\t2\t7\t6\tbusy\n"
    "ws://h:1/2\t0\t0\t0\t0\t\n"
    "ws://h:1/3\t0\t-1\t0\t0\t\n"
    "launch\t1\t1\tssh\tnode1\tjoined\t\t\n"
    "launch\t2\t2\tssh\tnode7\tfailed\tauth_refused\tnode7 lets us not in:%0Ano key\x1b[2J fits\n"
    "launch\t3\t3\tslurm\t\tpending\t\t\n";

View view_of_whole() {
  Result<View> view = parse_view(whole);
  REQUIRE(view);
  view->pid = 4711;
  return *view;
}

}  // namespace

TEST_CASE("a view is read from the lines that a dispatcher says") {
  View view = view_of_whole();

  CHECK(view.profile == "gpu");
  CHECK(view.policy == "queue");
  CHECK(view.autoexit == "na");
  CHECK(view.session_pid == 4700);
  CHECK(view.uptime_ms == 192000);
  CHECK(std::vector<std::uint64_t>{view.waiting, view.running, view.done, view.online} ==
        std::vector<std::uint64_t>{3, 1, 12, 1});
  REQUIRE(view.slots.size() == 3);
  CHECK(view.slots[0] == View::Slot{"ws://h:1/1", true, 2, 7, 6, "busy"});
  CHECK(view.slots[2].instance == -1);
  REQUIRE(view.launches.size() == 3);
  CHECK(view.launches[1].message == "node7 lets us not in:\nno key\x1b[2J fits");
}

TEST_CASE("what is no view is refused, whatever it is") {
  for (const char* text :
       {"", "\n", "\n\n", "profile", "profile=a", "profile=a\n\n", "running=x\n\n0\n", "running=-1\n\n0\n",
        "\nx\n", "\n1\nonly\ttwo\n", "\n1\nu\t1\tx\t0\t0\tidle\n", "\n0\nlaunch\t1\t1\tssh\n",
        "\n0\nlaunch\tx\t1\tssh\t\tjoined\t\t\n", "\n0\nlaunch\t1\t1,\tssh\t\tjoined\t\t\n"}) {
    INFO(text);
    CHECK(!parse_view(text));
  }
}

TEST_CASE("a slot is free where no daemon is and none is on its way") {
  View view = view_of_whole();

  CHECK(free_slots(view) == std::vector<std::size_t>{2});
  view.launches[2].state = "gone";
  CHECK(free_slots(view) == std::vector<std::size_t>{2, 3});
  view.launches[2].slots = {99};
  view.launches[2].state = "pending";
  CHECK(free_slots(view) == std::vector<std::size_t>{2, 3});
  CHECK(find_launch(view, 3) == &view.launches[2]);
  CHECK(find_launch(view, 4) == nullptr);
}

TEST_CASE("a table shows daemons and launches, and why one has failed") {
  CHECK(table_of(view_of_whole(), false) ==
        "profile gpu (dispatcher 4711, R session 4700), for 3 min\n"
        "  1 daemon online; tasks: 3 waiting, 1 running, 12 done\n"
        "\n"
        "  daemon  url         online  instance  assigned  complete  state\n"
        "  1       ws://h:1/1  yes     2         7         6         busy\n"
        "  2       ws://h:1/2  no      0         0         0\n"
        "  3       ws://h:1/3  no      -1        0         0\n"
        "\n"
        "  launch  daemons  by     where  state    cause\n"
        "  1       1        ssh    node1  joined\n"
        "  2       2        ssh    node7  failed   auth_refused\n"
        "          node7 lets us not in:\n"
        "          no key\\x1b[2J fits\n"
        "  3       3        slurm         pending\n");
}

TEST_CASE(
    "where daemons come as there is work, it is shown how many there are to be, and those that have been") {
  View view = view_of_whole();
  view.wanted = 4;
  view.launches.clear();

  CHECK(table_of(view, false) ==
        "profile gpu (dispatcher 4711, R session 4700), for 3 min\n"
        "  1 daemon online of 4 wanted; tasks: 3 waiting, 1 running, 12 done\n"
        "\n"
        "  daemon  url         online  instance  assigned  complete  state\n"
        "  1       ws://h:1/1  yes     2         7         6         busy\n"
        "  3       ws://h:1/3  no      -1        0         0\n");
  CHECK(boost::json::parse(json_of(std::vector<View>{view})).at("dispatchers").at(0).at("wanted") == 4);
  view.slots = {View::Slot()};
  CHECK(table_of(view, false).find("url") == std::string::npos);
}

TEST_CASE("what a dispatcher says of how many daemons there are to be is read") {
  CHECK(parse_view("wanted=4\n\n1\n")->wanted == 4);
  CHECK_FALSE(parse_view("\n1\n")->wanted);
  CHECK_FALSE(parse_view("wanted=x\n\n1\n"));
}

TEST_CASE("only a terminal gets colours") {
  View view = view_of_whole();

  CHECK(table_of(view, false).find('\x1b') == std::string::npos);
  CHECK(table_of(view, true).find("\x1b[31mfailed\x1b[0m") != std::string::npos);
  CHECK(table_of(view, true).find("\x1b[2J") == std::string::npos);
}

TEST_CASE("a profile without daemons, and one with one URL, are shown as what they are") {
  View view;
  view.pid = 5;
  view.policy = "ephemeral";

  CHECK(table_of(view, false) ==
        "without daemons, a new R for each task (dispatcher 5), for 0 s\n"
        "  0 daemons online; tasks: 0 waiting, 0 running, 0 done\n");
  view.policy = "direct";
  view.profile = "a\nb";
  view.url = "tcp://h:5";
  CHECK(table_of(view, false) ==
        "profile a\\nb (dispatcher 5), for 0 s\n"
        "  0 daemons online; tasks: 0 waiting, 0 running, 0 done\n"
        "  daemons connect at tcp://h:5\n");
}

TEST_CASE("as JSON a view holds the same, in UTF-8 whatever was said") {
  View view = view_of_whole();
  view.profile = "\xff\xfe";

  boost::json::value document = boost::json::parse(json_of(std::vector<View>{view}));

  const boost::json::object& one = document.at("dispatchers").at(0).as_object();
  CHECK(one.at("pid") == 4711);
  CHECK(one.at("profile") == "\\xff\\xfe");
  CHECK(one.at("uptime_s") == 192.0);
  CHECK(one.at("tasks").at("waiting") == 3);
  CHECK(one.at("slots").at(0).at("online") == true);
  CHECK(one.at("launches").at(1).at("cause") == "auth_refused");
  CHECK(one.at("launches").at(1).at("message") == "node7 lets us not in:\nno key\\x1b[2J fits");
  CHECK(json_of(std::vector<View>{}) == "{\"dispatchers\":[]}\n");
}

TEST_CASE("as JSON a launch that was only shown has no state") {
  ShownLaunch shown;
  shown.launch.number = 4;
  shown.launch.slots = {1, 2};
  shown.launch.plugin = "ssh";
  shown.command = "ssh host 'Rscript'";

  CHECK(
      json_of(std::vector<ShownLaunch>{shown}) ==
      "{\"launches\":[{\"launch\":4,\"slots\":[1,2],\"by\":\"ssh\",\"command\":\"ssh host 'Rscript'\"}]}\n");
  shown.launch.state = "joined";
  CHECK(json_of(std::vector<ShownLaunch>{shown}).find("\"state\":\"joined\"") != std::string::npos);
}
