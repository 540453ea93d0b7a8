// Manual pages in the man(7) language, as groff and mandoc read it. A page is written from top to bottom. Pure: the
// date comes from whoever writes the page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command_table.hpp"

namespace syncline::cli {

/// What all pages of one build have in common.
struct ManEdition {
  std::string date;    // YYYY-MM-DD
  std::string source;  // "syncline 0.1.0", at the foot of the page
};

class ManPage {
 public:
  /// `name` and `chapter` are those of the file, "syncline-hub" and 1; `summary` is what whatis(1) shows.
  ManPage(const std::string& name, int chapter, const std::string& summary, const ManEdition& edition);

  ManPage& section(std::string_view title);
  ManPage& subsection(std::string_view title);
  ManPage& paragraph(std::string_view text);
  /// A term, in bold, and what it means, indented.
  ManPage& term(std::string_view term, std::string_view text);
  /// Lines as they are: commands to type, parts of files.
  ManPage& lines(const std::vector<std::string>& lines);
  /// "syncline(1), hub.yaml(5)"
  ManPage& see_also(const std::vector<std::string>& pages);

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void begin_paragraph();
  std::string text_;
};

/// The page of a command with everything below it: "syncline-account.1" for `account`.
[[nodiscard]] ManPage command_page(const CommandInfo& command, const ProgramInfo& program, const ManEdition& edition);
/// "syncline-account", the name of that page.
[[nodiscard]] std::string page_name(const CommandInfo& command);

}  // namespace syncline::cli
