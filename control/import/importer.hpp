// SPDX-License-Identifier: Apache-2.0
// Another meter's configuration as ours: text in, YAML out that `wiretally check` takes, and a note
// for whatever could not be carried over. The notes stand at the top of the YAML as comments, too.
// Thread: any. Errors: StartupError (kUsage) for what is no configuration of that meter at all.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wiretally {

struct ImportSource {
  std::string name;  // for messages: the file as the user named it
  std::string text;  // what is in it; of a command line, its words joined by blanks
};

struct ImportNote {
  std::size_t line = 0;  // in the source, from 1; 0: of the whole
  std::string text;
};

struct ImportResult {
  std::string yaml;  // without the notes
  std::vector<ImportNote> notes;
  bool counts_nothing = false;  // whom or what to count could not be carried over: no success
};

struct Importer {
  std::string_view name;     // the word after `wiretally import`
  bool takes_words = false;  // a command line, written behind the name; otherwise a file
  ImportResult (*run)(const ImportSource& source) = nullptr;
};

[[nodiscard]] std::span<const Importer> importers();

[[nodiscard]] ImportResult import_ipfm(const ImportSource& source);
[[nodiscard]] ImportResult import_softflowd(const ImportSource& source);
[[nodiscard]] ImportResult import_trafmetux(const ImportSource& source);

// The whole answer: where it comes from, the notes as comments, the YAML.
[[nodiscard]] std::string import_text(const Importer& importer, const ImportSource& source,
                                      const ImportResult& result);
// "FILE:LINE: text"; the line is left out where there is none.
[[nodiscard]] std::string note_text(const ImportSource& source, const ImportNote& note);

}  // namespace wiretally
