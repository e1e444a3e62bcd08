#include "launcher/bring/in_job.h"

#include <string>

#include "base/version.h"
#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::bring;

namespace {

Offers all() {
  return {"Linux x86_64", "/opt/bin/tenkai",     "/opt/R/tenkai",
          "4.2",          "x86_64-pc-linux-gnu", "/opt/share/tenkai/r"};
}

const std::string hash_a(64, 'a');
const std::string hash_b(64, 'b');
const std::string hash_c(64, 'c');

Hashes hashes() { return {{Kind::program, hash_a}, {Kind::ready, hash_b}, {Kind::source, hash_c}}; }

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

// "what the node says is the same: system, R, package, program"
std::string answer(const std::string& text, const std::string& same) {
  std::string begin = "'" + same + "'='";
  std::size_t at = text.find(begin);
  if (at == text.npos) return "none";
  at += begin.size();
  return text.substr(at, text.find('\'', at) - at);
}

}  // namespace

TEST_CASE("a node of a job finds what it is to take by what is the same there") {
  std::string text = offers_text(all(), hashes());

  CHECK(answer(text, "1100") == "program ready");
  CHECK(answer(text, "1000") == "program source");
  CHECK(answer(text, "1101") == "ready");
  CHECK(answer(text, "0001") == "source");
  CHECK(answer(text, "1110") == "program");
  CHECK(answer(text, "1111") == "none");
  CHECK(answer(text, "0011") == "none");
}

TEST_CASE("why a node gets nothing is told in words that it fills in") {
  Offers offers = all();
  CHECK(answer(offers_text(offers, hashes()), "0100").starts_with("no it is {system}, and"));
  offers.source.clear();
  std::string why = answer(offers_text(offers, hashes()), "1001");
  CHECK(why.starts_with("no R is {r} for {platform} there"));
}

TEST_CASE("what a node takes bears its hash, and says for which R it is") {
  std::string text = offers_text(all(), hashes());

  CHECK(has(text, "program=list(name='program-aaaaaaaaaaaaaaaa',hash='" + hash_a + "'"));
  CHECK(has(text, "ready=list(name='library-{r}-{platform}-bbbbbbbbbbbbbbbb'"));
  CHECK(has(text, "system='Linux x86_64',r='4.2',platform='x86_64-pc-linux-gnu'"));
  CHECK(no_offers_text("it's full") == "list(no='it\\'s full')\n");
}

TEST_CASE("only what is there is packed") {
  Offers offers = all();
  CHECK(has(offer_command(offers), "ready.tar"));
  offers.package.clear();
  CHECK_FALSE(has(offer_command(offers), "ready.tar"));
  CHECK(has(offer_command(offers), "program.tar"));
}

TEST_CASE("what was packed is told line by line") {
  CHECK(parse_offered("program " + hash_a + "\nnoise\nready " + hash_b + "\n") ==
        Hashes{{Kind::program, hash_a}, {Kind::ready, hash_b}});
  CHECK(parse_offered("").empty());
}

TEST_CASE("what R of a job evaluates knows the version that it looks for") {
  std::string script = in_job_script();

  CHECK(has(script, "release <- '" + std::string(release_of(program_version)) + "'\n"));
  CHECK(has(script, "tenkai: it could not be brought along: "));
}
