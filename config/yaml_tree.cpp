// SPDX-License-Identifier: Apache-2.0
// yaml-cpp's events to our tree. Duplicate keys are noted and the reading goes on; anything else
// that is wrong with the YAML ends it, with a place and, for the faults people make, a cure.
// Start-up only.
#include "config/yaml_tree.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <unordered_set>
#include <utility>

#include "config/utf8.hpp"
#include "config/values.hpp"

namespace wiretally {
namespace {

struct Broken {
  Position at;
  std::string text;
};

Position position_of(const YAML::Mark& mark) {
  return mark.is_null() ? Position{} : Position{mark.line + 1, mark.column + 1};
}

// One open map or list while its events come in.
struct Frame {
  YamlNode node;
  YAML::anchor_t anchor = 0;
  std::size_t nodes_before = 0;
  std::optional<YamlEntry> pending;  // a key that waits for its value
  bool duplicate = false;            // the pending key was there before
  std::unordered_set<std::string> keys;
};

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(YamlTree& tree) : tree_(tree) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      throw Broken{position_of(mark), "a second YAML document begins; one document a file"};
    }
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add_leaf({YamlNode::Kind::kNull, position_of(mark), {}, {}, {}}, anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    add_leaf({YamlNode::Kind::kScalar, position_of(mark), value, {}, {}}, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

  // Where the innermost map or list that is still open began.
  [[nodiscard]] std::optional<Position> open_at() const {
    return frames_.empty() ? std::nullopt : std::optional(frames_.back().node.at);
  }

 private:
  struct Anchored {
    YamlNode node;
    std::size_t nodes = 0;
  };

  void refuse_tag(const YAML::Mark& mark, const std::string& tag);
  void count(const Position& at, std::size_t nodes);
  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor);
  void close();
  void add_leaf(YamlNode node, YAML::anchor_t anchor);
  void add(YamlNode node);
  void take_key(Frame& frame, const YamlNode& key);
  [[nodiscard]] std::string path_of_pending() const;

  YamlTree& tree_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

// "?" is a plain scalar, "!" a quoted one; anything else is a tag the user wrote.
void TreeBuilder::refuse_tag(const YAML::Mark& mark, const std::string& tag) {
  if (tag.empty() || tag == "?" || tag == "!") return;
  throw Broken{position_of(mark), fmt::format("the YAML tag {} has no meaning here", quoted(tag))};
}

void TreeBuilder::count(const Position& at, std::size_t nodes) {
  nodes_ += nodes;
  if (nodes_ > kYamlNodesMax) {
    throw Broken{at, fmt::format("more than {} values, aliases included", kYamlNodesMax)};
  }
}

void TreeBuilder::open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor) {
  const Position at = position_of(mark);
  refuse_tag(mark, tag);
  if (frames_.size() >= kYamlDepthMax) {
    throw Broken{at, fmt::format("nested deeper than {} levels", kYamlDepthMax)};
  }
  if (!frames_.empty() && frames_.back().node.kind == YamlNode::Kind::kMap &&
      !frames_.back().pending) {
    throw Broken{at,
                 "a key is a word, not a map or a list: close a list with "
                 "`]`, and quote text that begins with ["};
  }
  Frame frame;
  frame.nodes_before = nodes_;
  count(at, 1);
  frame.node.kind = kind;
  frame.node.at = at;
  frame.anchor = anchor;
  frames_.push_back(std::move(frame));
}

void TreeBuilder::close() {
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  if (frame.anchor != 0) anchors_[frame.anchor] = {frame.node, nodes_ - frame.nodes_before};
  add(std::move(frame.node));
}

void TreeBuilder::add_leaf(YamlNode node, YAML::anchor_t anchor) {
  count(node.at, 1);
  if (anchor != 0) anchors_[anchor] = {node, 1};
  add(std::move(node));
}

// The expanded copy is paid for in full, so nested aliases cannot grow beyond kYamlNodesMax.
void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const Position at = position_of(mark);
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) throw Broken{at, "this alias stands inside what it refers to"};
  count(at, found->second.nodes);
  add(found->second.node);
}

void TreeBuilder::add(YamlNode node) {
  if (frames_.empty()) {
    tree_.root = std::move(node);
    return;
  }
  Frame& frame = frames_.back();
  if (frame.node.kind == YamlNode::Kind::kList) {
    frame.node.items.push_back(std::move(node));
  } else if (!frame.pending) {
    take_key(frame, node);
  } else {
    frame.pending->value = std::move(node);
    if (!frame.duplicate) frame.node.entries.push_back(std::move(*frame.pending));
    frame.pending.reset();
  }
}

void TreeBuilder::take_key(Frame& frame, const YamlNode& key) {
  if (key.kind != YamlNode::Kind::kScalar) throw Broken{key.at, "a key is missing before the `:`"};
  frame.pending = YamlEntry{key.text, key.at, {}};
  frame.duplicate = !frame.keys.insert(key.text).second;
  if (!frame.duplicate) return;
  const auto first = std::ranges::find(frame.node.entries, key.text, &YamlEntry::key);
  tree_.faults.push_back(
      {key.at, path_of_pending(),
       fmt::format("is written twice; the first is in line {}", first->at.line)});
}

std::string TreeBuilder::path_of_pending() const {
  std::string path;
  for (const Frame& frame : frames_) {
    if (frame.node.kind == YamlNode::Kind::kList) {
      path += fmt::format("[{}]", frame.node.items.size());
    } else if (frame.pending) {
      path += (path.empty() ? "" : ".") + frame.pending->key;
    }
  }
  return path;
}

constexpr std::string_view kOpenMap = "end of map flow not found";
constexpr std::string_view kOpenList = "end of sequence flow not found";

// yaml-cpp names what its scanner met; people need what to write instead.
std::string cure_for(const std::string& message) {
  static const std::pair<std::string_view, std::string_view> kCures[] = {
      {"illegal map value",
       "a `:` that belongs to no key; quote text that has `: ` in it, and set "
       "keys of one section below each other"},
      {"end of map not found",
       "this line does not belong to the section above it: check its "
       "indentation, or quote a value that begins with [ or {"},
      {"end of sequence not found",
       "this line does not belong to the list above it: check its "
       "indentation and its `- `"},
      {kOpenMap, "this `{` is not closed with `}`, or in it a `,` or a closing quote is missing"},
      {kOpenList, "this `[` is not closed with `]`, or in it a `,` or a closing quote is missing"},
      {"illegal EOF in scalar", "a quote is not closed"},
      {"illegal tab", "a tab in the indentation; use spaces"},
      {"illegal flow end", "a `]` or `}` that nothing opened"},
      {"unknown token", "this character cannot begin a value; put the value in quotes"},
      {"illegal block entry", "a `- ` where no list can stand"},
      {"illegal map key", "a key where none can stand"},
      {"the referenced anchor is not defined",
       "an alias (`*name`) to nothing; quote a text that "
       "begins with `*`"},
  };
  for (const auto& [theirs, ours] : kCures) {
    if (message.starts_with(theirs)) return std::string(ours);
  }
  return message;
}

void break_off(YamlTree& tree, const Position& at, std::string text) {
  tree.root = {};
  tree.faults = {{at, {}, std::move(text)}};
  tree.broken = true;
}

void build(std::string_view text, YamlTree& tree) {
  std::istringstream stream{std::string(text)};
  TreeBuilder builder(tree);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    // What is not closed is told at its beginning; the parser only sees the end of the text.
    const bool is_open = error.msg.starts_with(kOpenMap) || error.msg.starts_with(kOpenList);
    const auto begin = builder.open_at();
    throw Broken{is_open && begin ? *begin : position_of(error.mark),
                 "not YAML: " + cure_for(error.msg)};
  }
}

// A tab may not indent; yaml-cpp reads it as text and complains about something else in that line.
std::optional<Broken> find_tab_indent(std::string_view text, int line) {
  std::size_t begin = 0;
  for (int i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return std::nullopt;
    begin = end + 1;
  }
  const std::size_t first = text.find_first_not_of(' ', begin);
  if (first == std::string_view::npos || text[first] != '\t') return std::nullopt;
  return Broken{{line, static_cast<int>(first - begin) + 1},
                "not YAML: a tab in the indentation; use spaces"};
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &YamlEntry::key);
  return found == entries.end() ? nullptr : &found->value;
}

YamlNode* YamlNode::find(std::string_view key) {
  return const_cast<YamlNode*>(std::as_const(*this).find(key));
}

YamlTree parse_yaml(std::string_view text) {
  YamlTree tree;
  if (text.size() > kYamlOctetsMax) {
    break_off(tree, {}, fmt::format("is longer than {}", format_size(kYamlOctetsMax)));
    return tree;
  }
  if (const auto bad = find_bad_text(text)) {
    break_off(tree, bad->at, bad->text);
    return tree;
  }
  try {
    build(text, tree);
  } catch (const Broken& broken) {
    const Broken told = find_tab_indent(text, broken.at.line).value_or(broken);
    break_off(tree, told.at, told.text);
  } catch (const std::exception& error) {
    break_off(tree, {}, fmt::format("not YAML: {}", error.what()));
  }
  return tree;
}

}  // namespace wiretally
