#include "cli/man_page.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "cli/wrap.hpp"

namespace syncline::cli {
namespace {

constexpr std::size_t kLineColumns = 72;  // of the source; escapes make lines longer

/// Text as man(7) prints it unchanged: a hyphen can be copied as one, and no line is taken for a request.
std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else {
      out += c;
    }
  }
  if (out.starts_with('.')) out.insert(0, "\\&");
  return out;
}

/// An argument of a macro.
std::string in_quotes(std::string_view text) {
  std::string out = escape(text);
  for (std::size_t at = out.find('"'); at != std::string::npos; at = out.find('"', at + 4)) out.replace(at, 1, "\\(dq");
  return '"' + out + '"';
}

std::string filled(std::string_view text) {
  std::string out;
  for (const std::string& line : wrap(text, kLineColumns)) {
    if (!line.empty()) out += escape(line) + '\n';
  }
  return out;
}

std::string upper_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

std::string lower_first(std::string text) {
  const bool is_word = text.size() > 1 && text[1] >= 'a' && text[1] <= 'z';
  if (is_word && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

void add_exits(ManPage& page, const std::map<int, std::string>& exits) {
  for (const auto& [code, meaning] : exits) page.term(std::to_string(code), meaning);
}

/// Notes, arguments and options of a command, without the options that every command has.
void add_body(ManPage& page, const CommandInfo& command) {
  for (const std::string& note : command.notes) page.paragraph(note);
  for (const OptionInfo* argument : arguments_of(command)) page.term(argument->value, description_of(*argument));
  for (const OptionInfo* option : visible_options(command)) {
    const bool is_everywhere = main_name(*option) == "--help" || main_name(*option) == "--version";
    if (!is_everywhere) page.term(option_text(*option), description_of(*option));
  }
}

/// Each command below `group` that does something, depth first.
std::vector<const CommandInfo*> commands_below(const CommandInfo& group) {
  std::vector<const CommandInfo*> found;
  for (const CommandInfo* command : visible_commands(group)) {
    if (!command->needs_command) found.push_back(command);
    const auto below = commands_below(*command);
    found.insert(found.end(), below.begin(), below.end());
  }
  return found;
}

std::vector<std::string> all_examples(const CommandInfo& command) {
  std::vector<std::string> found = command.examples;
  for (const CommandInfo* below : commands_below(command)) {
    for (const std::string& example : below->examples) {
      if (std::ranges::find(found, example) == found.end()) found.push_back(example);
    }
  }
  return found;
}

std::vector<std::string> example_lines(const CommandInfo& command) {
  std::vector<std::string> lines;
  for (const std::string& example : all_examples(command)) {
    for (std::string& line : continued(example, kLineColumns)) lines.push_back(std::move(line));
  }
  return lines;
}

std::map<int, std::string> all_exits(const CommandInfo& command, const ProgramInfo& program) {
  std::map<int, std::string> exits = command.exits;
  for (const CommandInfo* below : commands_below(command)) exits.insert(below->exits.begin(), below->exits.end());
  exits.insert(program.exits.begin(), program.exits.end());
  return exits;
}

}  // namespace

ManPage::ManPage(const std::string& name, int chapter, const std::string& summary, const ManEdition& edition) {
  text_ = ".TH " + in_quotes(upper_case(name)) + ' ' + std::to_string(chapter) + ' ' + '"' + edition.date + "\" " +
          in_quotes(edition.source) + '\n';
  section("NAME");
  text_ += escape(name) + " \\-\n" + filled(summary);
}

ManPage& ManPage::section(std::string_view title) {
  text_ += ".SH " + escape(title) + '\n';
  return *this;
}

ManPage& ManPage::subsection(std::string_view title) {
  text_ += ".SS " + escape(title) + '\n';
  return *this;
}

/// Not behind a title: sections begin with a paragraph anyway.
void ManPage::begin_paragraph() {
  const std::size_t last_line = text_.rfind('\n', text_.size() - 2) + 1;
  if (!text_.substr(last_line).starts_with(".S")) text_ += ".PP\n";
}

ManPage& ManPage::paragraph(std::string_view text) {
  begin_paragraph();
  text_ += filled(text);
  return *this;
}

ManPage& ManPage::term(std::string_view term, std::string_view text) {
  text_ += ".TP\n.B " + in_quotes(term) + '\n' + filled(text);
  return *this;
}

ManPage& ManPage::lines(const std::vector<std::string>& lines) {
  begin_paragraph();
  text_ += ".RS 4\n.nf\n";
  for (const std::string& line : lines) text_ += escape(line) + '\n';
  text_ += ".fi\n.RE\n";
  return *this;
}

ManPage& ManPage::see_also(const std::vector<std::string>& pages) {
  section("SEE ALSO");
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const std::size_t open = pages[i].find('(');
    text_ += ".BR " + in_quotes(pages[i].substr(0, open)) + ' ' + pages[i].substr(open) +
             (i + 1 == pages.size() ? "\n" : ",\n");
  }
  return *this;
}

std::string page_name(const CommandInfo& command) {
  return command.parent == nullptr ? command.name : page_name(*command.parent) + '-' + command.name;
}

ManPage command_page(const CommandInfo& command, const ProgramInfo& program, const ManEdition& edition) {
  ManPage page(page_name(command), 1, lower_first(command.summary), edition);
  page.section("SYNOPSIS");
  std::vector<std::string> usages = command.needs_command ? std::vector<std::string>() : usages_of(command);
  const std::vector<const CommandInfo*> below = commands_below(command);
  for (const CommandInfo* each : below) {
    const auto more = usages_of(*each);
    usages.insert(usages.end(), more.begin(), more.end());
  }
  page.lines(usages);
  page.section("EXAMPLES").lines(example_lines(command));
  if (!command.needs_command) {
    page.section("DESCRIPTION").paragraph(command.summary + '.');
    add_body(page, command);
  } else if (!command.notes.empty()) {
    page.section("DESCRIPTION");
    for (const std::string& note : command.notes) page.paragraph(note);
  }
  if (!below.empty()) page.section("COMMANDS");
  for (const CommandInfo* each : below) {
    page.subsection(path_of(*each)).paragraph(each->summary + '.');
    add_body(page, *each);
  }
  page.section("EXIT STATUS");
  add_exits(page, all_exits(command, program));
  return page;
}

}  // namespace syncline::cli
