#include "plugins/mpi/rank_line.h"

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::mpi;

namespace {

std::optional<RankLine> there_and_back(const RankLine& line) {
  std::string text = to_line(line);
  REQUIRE(text.back() == '\n');
  CHECK(text.find('\n') == text.size() - 1);
  text.pop_back();
  return parse_rank_line(text);
}

}  // namespace

TEST_CASE("what a process tells is understood") {
  for (const RankLine& line : {RankLine{RankLine::What::started, 3, "n1", {}, {}},
                               RankLine{RankLine::What::ended, 0, "two\nlines\twith 100%\r\n", 127, {}},
                               RankLine{RankLine::What::ended, 4095, "", {}, 9},
                               RankLine{RankLine::What::refused, 0, "MPI_ERR_SPAWN: no", {}, {}}}) {
    INFO(to_line(line));
    CHECK(there_and_back(line) == line);
  }
}

TEST_CASE("words of mpirun in front of it do no harm") {
  RankLine line{RankLine::What::started, 1, "n2", {}, {}};
  std::string text = to_line(line);
  text.pop_back();

  CHECK(parse_rank_line("[1,3]<stderr>:" + text) == line);
}

TEST_CASE("what is no such line is somebody else's") {
  for (const char* text : {"", "started", "tenkai-rank", "tenkai-rank\tstarted\t1",
                           "tenkai-rank\tleft\t1\t-\t-\t", "tenkai-rank\tstarted\tone\t-\t-\tn1",
                           "tenkai-rank\tstarted\t-1\t-\t-\tn1", "tenkai-rank\tended\t1\t0\t-\ta\tb"}) {
    INFO(text);
    CHECK_FALSE(parse_rank_line(text));
  }
}

TEST_CASE("all lines of one process are shorter than what is read at a time") {
  for (char c : {'x', '%', '\t'}) {
    std::string flood(20000, c);
    for (std::size_t i = 80; i < flood.size(); i += 80) flood[i] = '\n';
    std::string lines = to_line({RankLine::What::started, 4095, flood, {}, {}}) +
                        to_line({RankLine::What::ended, 4095, flood + "last", 255, {}});

    CHECK(lines.size() <= max_rank_lines);
    std::optional<RankLine> ended = there_and_back({RankLine::What::ended, 1, flood + "last", 255, {}});
    REQUIRE(ended);
    CHECK(ended->text.ends_with("last"));
    CHECK(ended->text.size() > 500);
  }
}
