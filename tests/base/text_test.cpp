#include "base/text.h"
#include "base/random_hex.h"

#include <cstdint>
#include <string>
#include <vector>

#include "base/counted.h"
#include "tests/catch.h"

using namespace tenkai;

using Pieces = std::vector<std::string_view>;

TEST_CASE("split keeps empty pieces") {
  CHECK(split("a,b,c", ',') == Pieces{"a", "b", "c"});
  CHECK(split(",a,,b,", ',') == Pieces{"", "a", "", "b", ""});
  CHECK(split("", ',') == Pieces{""});
  CHECK(split(",", ',') == Pieces{"", ""});
}

TEST_CASE("trim takes white space from both ends only") {
  CHECK(trim(" \t a b \r\n") == "a b");
  CHECK(trim("a") == "a");
  CHECK(trim(" \n ") == "");
  CHECK(trim("") == "");
}

TEST_CASE("join puts the separator between pieces") {
  CHECK(join({"a", "b", "c"}, ", ") == "a, b, c");
  CHECK(join({"a"}, ", ") == "a");
  CHECK(join({}, ", ") == "");
  CHECK(join({"", ""}, "-") == "-");
}

TEST_CASE("a number is the whole text and fits") {
  CHECK(to_number<int>("42") == 42);
  CHECK(to_number<int>("-42") == -42);
  CHECK(to_number<std::uint16_t>("65535") == 65535);
  CHECK(to_number<std::uint64_t>("18446744073709551615") == UINT64_MAX);
  CHECK(to_number<int>("007") == 7);
}

TEST_CASE("what is not quite a number is none") {
  for (const char* text : {"", " 1", "1 ", "+1", "1.0", "1e3", "0x10", "--1", "-", "a", "1a", "９"}) {
    INFO(text);
    CHECK_FALSE(to_number<int>(text).has_value());
  }
  CHECK_FALSE(to_number<std::uint16_t>("65536").has_value());
  CHECK_FALSE(to_number<unsigned>("-1").has_value());
  CHECK_FALSE(to_number<std::uint64_t>("18446744073709551616").has_value());
  CHECK_FALSE(to_number<int>(std::string_view("1\0", 2)).has_value());
}

TEST_CASE("plain words need no quotes for a shell") {
  CHECK(shell_quote("Rscript") == "Rscript");
  CHECK(shell_quote("/usr/bin/env") == "/usr/bin/env");
  CHECK(shell_quote("--mem=4G") == "--mem=4G");
  CHECK(shell_quote("user@host:22") == "user@host:22");
}

TEST_CASE("all other words are quoted so that a shell reads them as they are") {
  CHECK(shell_quote("") == "''");
  CHECK(shell_quote("a b") == "'a b'");
  CHECK(shell_quote("it's") == "'it'\\''s'");
  CHECK(shell_quote("$(reboot)") == "'$(reboot)'");
  CHECK(shell_quote("a\nb") == "'a\nb'");
  CHECK(shell_quote("~root") == "'~root'");
  CHECK(shell_quote("LD_PRELOAD=x") == "'LD_PRELOAD=x'");
}

TEST_CASE("random names are hexadecimal, of the length asked for, and never the same") {
  std::string name = random_hex(12);

  CHECK(name.size() == 24);
  CHECK(name.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(name != random_hex(12));
  CHECK(random_hex(0) == "");
  CHECK(random_hex(1000).size() == 2000);
}

TEST_CASE("printable text is left alone") {
  CHECK(printable("plain text, 展開, é, 🙂") == "plain text, 展開, é, 🙂");
  CHECK(printable("") == "");
}

TEST_CASE("control bytes are written out") {
  CHECK(printable("a\nb\tc\rd") == "a\\nb\\tc\\rd");
  CHECK(printable("\x1b[2J\x07\x7f") == "\\x1b[2J\\x07\\x7f");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
}

TEST_CASE("the control characters beyond ASCII are written out too") {
  CHECK(printable("\xc2\x9b"
                  "31m") == "\\xc2\\x9b31m");
  CHECK(printable("\xc2\xa0") == "\xc2\xa0");
}

TEST_CASE("characters that turn the order of a text round are written out") {
  CHECK(printable("a\u202e"
                  "b") == "a\\xe2\\x80\\xaeb");
  CHECK(printable("\u2066") == "\\xe2\\x81\\xa6");
  CHECK(printable("\u2069") == "\\xe2\\x81\\xa9");
  CHECK(printable("\u2029\u202f\u2065\u206a") == "\u2029\u202f\u2065\u206a");
  CHECK(find_unprintable("ab\u202d") == 2);
}

TEST_CASE("bytes that are not UTF-8 are written out") {
  CHECK(printable("\xff") == "\\xff");
  CHECK(printable("a\xc3") == "a\\xc3");
  CHECK(printable("\xc3(") == "\\xc3(");
  CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");                    // '/' in too many bytes
  CHECK(printable("\xe0\x80\xaf") == "\\xe0\\x80\\xaf");           // the same
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // half of a surrogate pair
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
}

TEST_CASE("long text is cut between characters and says so") {
  CHECK(printable("abcdef", 3) == "abc…");
  CHECK(printable("abc", 3) == "abc");
  CHECK(printable("ab展", 3) == "ab…");
  CHECK(printable("ab\n", 3) == "ab…");
  CHECK(printable("a", 0) == "…");
}

TEST_CASE("the first byte that is no text is found") {
  CHECK_FALSE(find_unprintable("plain\ttext\r\n, 展開\n"));
  CHECK(find_unprintable(std::string_view("a\0b", 3)) == 1);
  CHECK(find_unprintable("ab\r") == 2);
  CHECK(find_unprintable("\x1b[2J") == 0);
  CHECK(find_unprintable("展\xff") == 3);
  CHECK(find_unprintable("a\xc2\x9b") == 1);
}

TEST_CASE("lines stay lines, whatever bytes are in them") {
  CHECK(printable_lines("one\r\n\x1b[2J\n") == "one\n\\x1b[2J\n");
  CHECK(printable_lines(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(printable_lines("") == "");
  CHECK(printable_lines(std::string(5000, 'a')) == std::string(5000, 'a'));
}

TEST_CASE("of a long text the last whole lines are kept") {
  auto kept = [](std::string text, std::size_t limit) {
    keep_last_lines(text, limit);
    return text;
  };

  CHECK(kept("one\ntwo\n", 100) == "one\ntwo\n");
  CHECK(kept("one\ntwo\nthree\n", 11) == "two\nthree\n");
  CHECK(kept("one\ntwo\n", 4) == "two\n");
  CHECK(kept("a line that is too long\n", 12) == "is too long\n");
  CHECK(kept("a line that is too long\n", 11) == " too long\n");
  CHECK(kept("aaaaaaaa", 3) == "aaa");
}

TEST_CASE("what is left of a word that is cut goes, because half a secret is not known for one") {
  std::string text = "dGVua2FpAXa6-_k: was given";

  keep_last_lines(text, 16);

  CHECK(text == ": was given");
}

TEST_CASE("one of something is one, and others are many") {
  CHECK(counted(1, "daemon") == "1 daemon");
  CHECK(counted(0, "daemon") == "0 daemons");
  CHECK(counted(2, "process", "processes") == "2 processes");
  CHECK(counted(1, "other launch has", "other launches have") == "1 other launch has");
}
