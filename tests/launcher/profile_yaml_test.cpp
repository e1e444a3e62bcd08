#include "launcher/profile/yaml.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/catch.h"

using namespace tenkai;
using namespace std::string_literals;

namespace {

// The one problem of a text, as people read it.
std::string refusal_of(const std::string& text) {
  Problems problems;
  std::optional<YamlNode> tree = read_yaml("f", text, problems);
  if (tree) return "";
  REQUIRE(problems.size() == 1);
  return to_string(problems.front());
}

bool begins(const std::string& text, std::string_view with) {
  INFO(text);
  return text.rfind(with, 0) == 0;
}

YamlNode tree_of(const std::string& text) {
  Problems problems;
  std::optional<YamlNode> tree = read_yaml("f", text, problems);
  REQUIRE(tree);
  return *tree;
}

std::string repeated(std::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

constexpr std::string_view too_deep = "this is nested more than 32 levels deep";

}  // namespace

TEST_CASE("a tree of YAML keeps the order of keys and the places of everything") {
  YamlNode tree = tree_of("# a comment\nz: 1\na:\n  - x\n  - {k: \"quoted\"}\n");

  REQUIRE(tree.kind == YamlNode::Kind::mapping);
  REQUIRE(tree.items.size() == 2);
  CHECK(tree.items[0].key == "z");
  CHECK(tree.items[0].key_at == Position{2, 1});
  CHECK(tree.items[0].at == Position{2, 4});
  const YamlNode& list = tree.items[1];
  CHECK(list.key == "a");
  REQUIRE(list.items.size() == 2);
  CHECK(list.items[0].text == "x");
  CHECK(list.items[0].at == Position{4, 5});
  CHECK(list.items[1].items[0].text == "quoted");
}

TEST_CASE("scalars are the texts that were typed") {
  YamlNode tree = tree_of("time: 1:30:00\npartition: no\nmem: 010\nname: 1e3\nd: 2024-01-01\nt: true\n");

  std::vector<std::string> texts;
  for (const YamlNode& item : tree.items) texts.push_back(item.text);

  CHECK(texts == std::vector<std::string>{"1:30:00", "no", "010", "1e3", "2024-01-01", "true"});
}

TEST_CASE("nothing is nothing, and in quotes it is a text") {
  YamlNode tree = tree_of("a:\nb: ~\nc: null\nd: \"\"\ne: '~'\n");

  CHECK(tree.items[0].kind == YamlNode::Kind::null);
  CHECK(tree.items[1].kind == YamlNode::Kind::null);
  CHECK(tree.items[2].kind == YamlNode::Kind::null);
  CHECK(tree.items[3].kind == YamlNode::Kind::scalar);
  CHECK(tree.items[4].text == "~");
  CHECK(tree_of("").kind == YamlNode::Kind::null);
  CHECK(tree_of("# only a comment\n").kind == YamlNode::Kind::null);
  CHECK(tree_of("\xEF\xBB\xBF"s + "a: b\r\n").items[0].text == "b");
}

TEST_CASE("aliases, anchors and tags are refused where they stand") {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'j'; ++c) {
    std::string before(1, static_cast<char>(c - 1));
    bomb += std::string(1, c) + ": &" + c + " [" + repeated("*" + before + ",", 8) + "*" + before + "]\n";
  }

  CHECK(begins(refusal_of(bomb), "f:1:4: anchors ('&name') are not read"));
  CHECK(begins(refusal_of("a: 1\nb: *a\n"), "f:2:"));
  CHECK(begins(refusal_of("a: !expr system(\"touch /tmp/x\")\n"), "f:1:4: tags ('!expr') are not read"));
  CHECK(begins(refusal_of("a: !!python/object:os.system x\n"), "f:1:4: tags"));
  CHECK(begins(refusal_of("a: !expr ~\n"), "f:1:4: tags"));
  CHECK(begins(refusal_of("a: !expr\n"), "f:1:4: tags"));
  CHECK(begins(refusal_of("a: !!map {b: c}\n"), "f:1:4: tags"));
  CHECK(begins(refusal_of("!!set {b}\n"), "f:1:1: tags"));
}

TEST_CASE("a key that stands there twice is refused, with the line of the first") {
  CHECK(begins(refusal_of("a: 1\nb: 2\na: 3\n"), "f:3:1: the key 'a' stands in line 1 already"));
  CHECK(begins(refusal_of("x: {a: 1, 'a': 2}\n"), "f:1:11: the key 'a' stands in line 1"));
  CHECK(refusal_of("x: {a: 1}\ny: {a: 1}\n").empty());
}

TEST_CASE("keys are texts") {
  CHECK(begins(refusal_of("[a, b]: c\n"), "f:1:1: a key must be a text"));
  CHECK(begins(refusal_of("? {a: b}\n: c\n"), "f:1:3: a key must be a text"));
  CHECK(begins(refusal_of("~: c\n"), "f:1:1: a key is missing"));
}

TEST_CASE("deep nesting of every kind is refused before it costs any stack") {
  // What is never closed begins like a key.
  CHECK(
      begins(refusal_of(repeated("[", 5000)), "f:1:1: a key must be a text; put it in quotes, or close the"));
  CHECK(begins(refusal_of("a:\n" + repeated(" [\n", 5000)), "f:2:2: a key must be a text"));
  CHECK(begins(refusal_of(repeated("[", 5000) + repeated("]", 5000)), "f:1:33: " + std::string(too_deep)));
  CHECK(begins(refusal_of(repeated("{a: ", 5000)), "f:1:"));
  CHECK(begins(refusal_of(repeated("- ", 5000) + "x"), "f:1:65: " + std::string(too_deep)));
  CHECK(begins(refusal_of(repeated("? ", 5000) + "x"), "f:1:"));
  CHECK(begins(refusal_of("[" + repeated("{[", 2500)), "f:1:"));
  CHECK(begins(refusal_of(repeated(": ", 5000)), "f:1:"));
  CHECK(refusal_of(repeated("[", 32) + repeated("]", 32)).empty());
}

TEST_CASE("what is no text in UTF-8 is refused at its byte") {
  CHECK(begins(refusal_of("a: b\nc: \0\n"s), "f:2:4: here is a byte that is no text in UTF-8 ('\\x00\\n')"));
  CHECK(begins(refusal_of("a: \xff\xfe\n"), "f:1:4: here is a byte"));
  CHECK(begins(refusal_of("\xff\xfe"
                          "a\0"s),
               "f:1:1: here is a byte"));
  CHECK(begins(refusal_of("a: \x1b[2J\n"), "f:1:4: here is a byte"));
  CHECK(begins(refusal_of("a: \"x\\x00y\"\n"), "f:1:4: this text holds a control character"));
  CHECK(begins(refusal_of("a: \"\\x1b[2J\"\n"), "f:1:4: this text holds a control character"));
  CHECK(begins(refusal_of("a: \"\\ud800\"\n"), "f:1:"));
}

TEST_CASE("a file holds one document") {
  CHECK(refusal_of("---\na: b\n...\n").empty());
  CHECK(begins(refusal_of("a: b\n---\nc: d\n"), "f:2:1: a second document begins here"));
}

TEST_CASE("too much is refused in no time") {
  auto start = std::chrono::steady_clock::now();
  CHECK(begins(refusal_of("a: " + std::string(max_yaml_bytes, 'x')),
               "f:1:1: this is longer than 1048576 bytes"));
  CHECK(begins(refusal_of("[" + repeated("a,", 200'000) + "]"), "f:1:"));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

TEST_CASE("what is no YAML is refused where it stops to be") {
  CHECK(begins(refusal_of("a: [b\n"), "f:"));
  CHECK(begins(refusal_of("a: b\n\tc: d\n"), "f:2:"));
  CHECK(begins(refusal_of("a: b: c\n"), "f:1:5: this is no YAML (illegal map value); look at"));
  CHECK(begins(refusal_of("a: 'b''\n"), "f:1:4: this text in quotes has no end"));
  CHECK(begins(refusal_of("a: c\r\nb: \"b\\\"\r\n"), "f:2:4: this text in quotes has no end"));
  CHECK(refusal_of("a: 'b''s'\r\nb: \"\\\"\"\r\nc: |\r\n  'x\r\n").empty());
  CHECK(begins(refusal_of("%YAML 9.9\n---\na: b\n"), "f:1:"));
  CHECK(begins(refusal_of("@\n"), "f:1:"));
}
