#include "launcher/profile/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <map>
#include <sstream>
#include <utility>

#include "base/text.h"

namespace tenkai {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

Position position_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

Position position_of(std::string_view text, std::size_t offset) {
  Position at;
  for (char c : text.substr(0, offset)) {
    if (c == '\n') at = {at.line + 1, 1};
    else ++at.column;
  }
  return at;
}

// yaml-cpp takes the end of the file for the end of a quoted text.
bool quote_is_closed(std::string_view text) {
  char quote = text.front();
  for (std::size_t i = 1; i < text.size(); ++i) {
    bool is_escape = quote == '"' && text[i] == '\\';
    bool is_doubled = quote == '\'' && text.substr(i).starts_with("\'\'");
    if (is_escape || is_doubled) ++i;
    else if (text[i] == quote) return true;
  }
  return false;
}

// Thrown out of yaml-cpp, and caught where it was called.
struct Refusal {
  Position at;
  std::string message;
};

// Makes the tree. yaml-cpp recurses for everything that is nested, but tells it first:
// the exception at the 33rd level is what keeps its stack small.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view source) : source_(source) {}

  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) {
      throw Refusal{position_of(mark),
                    "a second document begins here; remove the '---', one file holds one document"};
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    // yaml-cpp does not tell of a tag here.
    if (source_from(mark).starts_with('!')) refuse_tag(mark, "!…");
    if (wants_key()) throw Refusal{position_of(mark), "a key is missing here; write one before the ':'"};
    add(node(YamlNode::Kind::null, mark));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    throw Refusal{position_of(mark), "aliases ('*name') are not read; write it out, or use 'inherits:'"};
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (find_unprintable(value)) {
      throw Refusal{position_of(mark), "this text holds a control character or no valid UTF-8 ('" +
                                           printable(value, 60) + "'); remove it"};
    }
    std::string_view typed = source_from(mark);
    if ((typed.starts_with('"') || typed.starts_with('\'')) && !quote_is_closed(typed)) {
      throw Refusal{position_of(mark), "this text in quotes has no end; close the quote"};
    }
    if (wants_key()) return take_key(mark, value);
    YamlNode scalar = node(YamlNode::Kind::scalar, mark);
    scalar.text = value;
    add(std::move(scalar));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::Kind::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  // A sequence or mapping whose end has not come yet.
  struct Open {
    YamlNode node;
    std::map<std::string, Position> keys;
    bool has_key = false;  // the value of the last key is still to come
    std::string key;
    Position key_at;
  };

  static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor == YAML::NullAnchor) return;
    throw Refusal{position_of(mark), "anchors ('&name') are not read; remove it, and use 'inherits:'"};
  }

  // '?' is a plain text, '!' one in quotes.
  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw Refusal{position_of(mark),
                  "tags ('" + printable(tag, 60) + "') are not read, and never run; remove it"};
  }

  std::string_view source_from(const YAML::Mark& mark) const {
    auto at = static_cast<std::size_t>(mark.pos);
    return at < source_.size() ? source_.substr(at) : std::string_view();
  }

  bool wants_key() const {
    return !open_.empty() && open_.back().node.kind == YamlNode::Kind::mapping && !open_.back().has_key;
  }

  void take_key(const YAML::Mark& mark, const std::string& key) {
    Open& mapping = open_.back();
    auto [before, is_new] = mapping.keys.emplace(key, position_of(mark));
    if (!is_new) {
      throw Refusal{position_of(mark), "the key '" + printable(key, 60) + "' stands in line " +
                                           std::to_string(before->second.line) +
                                           " already; keep one of them"};
    }
    mapping.has_key = true;
    mapping.key = key;
    mapping.key_at = position_of(mark);
  }

  YamlNode node(YamlNode::Kind kind, const YAML::Mark& mark) {
    if (++nodes_ > max_yaml_nodes) {
      throw Refusal{position_of(mark), "there are more than " + std::to_string(max_yaml_nodes) +
                                           " values up to here; split the file"};
    }
    YamlNode made;
    made.kind = kind;
    made.at = position_of(mark);
    return made;
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (wants_key())
      throw Refusal{position_of(mark), "a key must be a text; put it in quotes, or close the bracket"};
    if (open_.size() == max_yaml_depth) {
      throw Refusal{position_of(mark),
                    "this is nested more than " + std::to_string(max_yaml_depth) +
                        " levels deep; no profile needs that, so look for an open bracket"};
    }
    open_.emplace_back().node = node(kind, mark);
  }

  void close() {
    YamlNode done = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(done));
  }

  void add(YamlNode made) {
    if (open_.empty()) {
      root_ = std::move(made);
      return;
    }
    Open& parent = open_.back();
    if (parent.has_key) {
      made.key = std::exchange(parent.key, {});
      made.key_at = parent.key_at;
      parent.has_key = false;
    }
    parent.node.items.push_back(std::move(made));
  }

  std::string_view source_;
  YamlNode root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

// What yaml-cpp need not see at all.
std::optional<Refusal> refuse_bytes(std::string_view text) {
  if (text.size() > max_yaml_bytes) {
    return Refusal{
        {}, "this is longer than " + std::to_string(max_yaml_bytes) + " bytes, and was not read; shorten it"};
  }
  std::optional<std::size_t> bad = find_unprintable(text);
  if (!bad) return std::nullopt;
  return Refusal{position_of(text, *bad), "here is a byte that is no text in UTF-8 ('" +
                                              printable(text.substr(*bad, 4), 30) +
                                              "'); remove it, or save the file as UTF-8"};
}

}  // namespace

std::string_view name_of(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::null: return "nothing";
    case YamlNode::Kind::scalar: return "a text";
    case YamlNode::Kind::sequence: return "a list";
    case YamlNode::Kind::mapping: return "a mapping";
  }
  return "";
}

std::optional<YamlNode> read_yaml(const std::string& file, std::string_view text, Problems& problems) {
  auto refuse = [&](const Position& at, const std::string& message) {
    problems.push_back({{file, at}, message});
    return std::nullopt;
  };
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  if (std::optional<Refusal> refusal = refuse_bytes(text)) return refuse(refusal->at, refusal->message);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder(text);
    while (parser.HandleNextDocument(builder)) {}
    return builder.take();
  } catch (const Refusal& refusal) {
    return refuse(refusal.at, refusal.message);
  } catch (const YAML::Exception& problem) {
    return refuse(position_of(problem.mark),
                  "this is no YAML (" + printable(problem.msg, 120) +
                      "); look at the indentation, colons, quotes and brackets here and in the line before");
  } catch (const std::exception& problem) {
    return refuse({},
                  "this cannot be read as YAML (" + printable(problem.what(), 120) + "); simplify the file");
  }
}

}  // namespace tenkai
