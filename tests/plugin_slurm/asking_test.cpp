#include "plugins/slurm/asking.h"

#include <chrono>
#include <optional>

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::slurm;
using std::chrono::minutes;
using std::chrono::seconds;
using State = Asking::State;

namespace {

const SlurmTime noon{std::chrono::hours(12)};

}  // namespace

TEST_CASE("a suspicion is asked about, until it is settled") {
  Asking asking;
  CHECK(asking.due({}, std::nullopt, true) == std::nullopt);

  asking.suspect(noon);
  CHECK(asking.state() == State::suspected);
  CHECK(asking.due({}, std::nullopt, true) == noon);
  CHECK(asking.due(noon, std::nullopt, true) == noon + seconds(6));

  asking.settle();
  CHECK(asking.state() == State::quiet);
  CHECK(asking.due({}, std::nullopt, true) == std::nullopt);
}

TEST_CASE("a job that waits is asked about by how often it was queued") {
  Asking asking;

  CHECK(asking.due({}, noon, false) == noon + seconds(5));
  CHECK(asking.due({}, noon, true) == noon + minutes(1));
}

TEST_CASE("the database is asked about a job that was missing often enough") {
  Asking asking;
  asking.missing(noon, false);
  asking.missing(noon, false);
  CHECK(asking.state() == State::suspected);

  asking.missing(noon, false);

  CHECK(asking.state() == State::accounts);
  CHECK(asking.due({}, std::nullopt, true) == std::nullopt);
  CHECK(asking.answered());
  CHECK(asking.state() == State::suspected);
  CHECK_FALSE(asking.answered());
}

TEST_CASE("a suspicion that is settled leaves what the database is to be asked") {
  Asking asking;
  asking.missing(noon, true);

  asking.settle();

  CHECK(asking.state() == State::accounts);
  CHECK(asking.answered());
  CHECK(asking.state() == State::quiet);
}

TEST_CASE("nobody is asked about a job that was told as gone, until it is seen") {
  Asking asking;
  asking.missing(noon, false);
  asking.lose();
  asking.missing(noon, false);
  CHECK(asking.absences() == 1);
  CHECK(asking.due({}, noon, false) == std::nullopt);

  asking.seen();

  CHECK(asking.state() == State::quiet);
  CHECK(asking.absences() == 0);
  asking.lose();
  asking.suspect(noon);
  CHECK(asking.state() == State::lost);
  asking.seen();
  CHECK(asking.state() == State::suspected);
}
