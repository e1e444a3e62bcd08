#include "plugins/mpi/mpi_ranks.h"

#include "launcher/plugin/failure.h"
#include "plugins/mpi/rank_line.h"
#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::mpi;

namespace {

std::string started(std::size_t rank, const std::string& where) {
  return to_line({RankLine::What::started, rank, where, {}, {}});
}
std::string ended(std::size_t rank, int code, const std::string& log) {
  return to_line({RankLine::What::ended, rank, log, code, {}});
}
std::string killed(std::size_t rank, int signal) {
  return to_line({RankLine::What::ended, rank, "", {}, signal});
}

const Ended well{0, {}};

}  // namespace

TEST_CASE("processes tell where they run, and how they have ended") {
  MpiRanks ranks({"a", "b"});
  REQUIRE(ranks.on_begun().size() == 2);
  CHECK_FALSE(ranks.all_started());

  MpiRanks::News news = ranks.on_output(started(1, "n2") + started(0, "n1") + ended(1, 127, "no R\n"));

  REQUIRE(news.size() == 3);
  CHECK(news[0].job == "b");
  CHECK(news[0].state == JobState::starting);
  CHECK(news[0].where == "n2");
  CHECK(news[2].job == "b");
  CHECK(news[2].state == JobState::ended);
  CHECK(news[2].where == "n2");
  CHECK(news[2].exit_code == 127);
  CHECK(news[2].log == "no R\n");
  CHECK(ranks.find("a")->state == JobState::starting);
  CHECK(*ranks.find("b") == news[2]);
  CHECK(ranks.find("c") == nullptr);
  CHECK(ranks.all_started());
  CHECK_FALSE(ranks.all_over());
}

TEST_CASE("a line may come in pieces") {
  MpiRanks ranks({"a"});
  std::string line = started(0, "n1");

  CHECK(ranks.on_output(line.substr(0, 7)).empty());
  CHECK(ranks.on_output(line.substr(7)).size() == 1);
}

TEST_CASE("one that is killed leaves the others as they are") {
  MpiRanks ranks({"a", "b", "c"});
  ranks.on_output(started(0, "n1") + started(1, "n1") + started(2, "n1"));

  MpiRanks::News news = ranks.on_output(killed(1, 9));

  REQUIRE(news.size() == 1);
  CHECK(news[0].job == "b");
  CHECK(news[0].signal == 9);
  CHECK_FALSE(ranks.all_over());
}

TEST_CASE("where mpirun has failed, its last lines say why, of each process") {
  MpiRanks ranks({"a", "b"});
  ranks.on_output("mpirun was unable to open the hostfile:\n  nix\n");

  MpiRanks::News news = ranks.on_mpirun_ended({1, {}});

  REQUIRE(news.size() == 2);
  CHECK(news[1].job == "b");
  CHECK(news[1].state == JobState::ended);
  CHECK(news[1].exit_code == 1);
  CHECK(news[1].log == "mpirun was unable to open the hostfile:\n  nix\n");
  CHECK(ranks.all_over());
}

TEST_CASE("what MPI refuses is told in its words, and in those of mpirun") {
  MpiRanks ranks({"a", "b"});
  ranks.on_output("-----------\nThere are not enough slots\n\nA slot is\n-----------\n" +
                  to_line({RankLine::What::refused, 0, "MPI_ERR_SPAWN: could not spawn processes", {}, {}}) +
                  "MPI_ABORT was invoked\n");
  CHECK(ranks.are_refused());

  MpiRanks::News news = ranks.on_mpirun_ended({1, {}});

  REQUIRE(news.size() == 2);
  CHECK(news[0].state == JobState::failed);
  CHECK(news[0].cause == cause::spawn_refused);
  CHECK(news[0].message ==
        "MPI did not start 2 processes: MPI_ERR_SPAWN: could not spawn processes; mpirun wrote:\n"
        "There are not enough slots");
}

TEST_CASE("a process that could not tell its end any more has ended with mpirun") {
  MpiRanks ranks({"a", "b"});
  ranks.on_output(started(0, "n1") + started(1, "n2") + ended(0, 0, ""));

  MpiRanks::News news = ranks.on_mpirun_ended({{}, 9});

  REQUIRE(news.size() == 1);
  CHECK(news[0].job == "b");
  CHECK(news[0].where == "n2");
  CHECK(news[0].signal == 9);
  CHECK(news[0].message == "mpirun, which held it, has ended");
}

TEST_CASE("the end of what was cancelled is no failure") {
  MpiRanks ranks({"a", "b"});
  ranks.on_output(started(0, "n1"));
  ranks.cancel("a");
  CHECK_FALSE(ranks.all_cancelled());
  ranks.cancel_all();
  CHECK(ranks.all_cancelled());

  MpiRanks::News news = ranks.on_output(killed(0, 15));
  MpiRanks::News rest = ranks.on_mpirun_ended({143, {}});

  REQUIRE(news.size() == 1);
  CHECK(news[0].cause == cause::cancelled);
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].job == "b");
  CHECK(rest[0].cause == cause::cancelled);
}

TEST_CASE("what was said of nobody, or twice, is dropped") {
  MpiRanks ranks({"a"});

  CHECK(ranks.on_output(started(7, "n1")).empty());
  CHECK(ranks.on_output(ended(0, 1, "")).size() == 1);
  CHECK(ranks.on_output(ended(0, 0, "")).empty());
  CHECK(ranks.on_mpirun_ended(well).empty());
}

TEST_CASE("a flood without line ends is not kept") {
  MpiRanks ranks({"a"});

  for (int i = 0; i < 100; ++i) ranks.on_output(std::string(10000, 'x'));
  MpiRanks::News news = ranks.on_mpirun_ended({1, {}});

  REQUIRE(news.size() == 1);
  CHECK(news[0].log.size() <= 4096);
}
