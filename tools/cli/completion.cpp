// Completion scripts, made from the same command tree that parses the arguments. Names of streams
// and topics come from the service, by `ebb __names KIND`.

#include "tools/cli/commands.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>

namespace ebb::cli {

namespace {

struct command_words {
  std::string name, description;
  std::vector<std::string> options;
  std::vector<std::string> below;  ///< commands of its own
  std::vector<std::string> places; ///< what its words are: STREAM, TOPIC, KIND, NAME, FILE …
};

void add_options(const CLI::App& command, std::vector<std::string>& to) {
  for (const auto* option : command.get_options())
    for (const auto& name : option->get_lnames())
      if (std::find(to.begin(), to.end(), "--" + name) == to.end())
        to.push_back("--" + name);
  for (const auto* below : command.get_subcommands({}))
    add_options(*below, to);
}

std::vector<command_words> words_of(const CLI::App& app) {
  std::vector<command_words> result;
  for (const auto* command : app.get_subcommands({})) {
    // Hidden ones are called by the scripts themselves.
    if (command->get_group().empty())
      continue;
    command_words words{command->get_name(), command->get_description(), {}, {}, {}};
    add_options(*command, words.options);
    for (const auto* below : command->get_subcommands({}))
      words.below.push_back(below->get_name());
    for (const auto* option : command->get_options())
      if (option->get_positional())
        // Without what checks add: `N:INT in [1 - 128]`.
        words.places.push_back(
            option->get_type_name().substr(0, option->get_type_name().find(":")));
    result.push_back(std::move(words));
  }
  return result;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words)
    text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string names_of(const std::vector<command_words>& commands) {
  std::vector<std::string> names;
  for (const auto& command : commands)
    names.push_back(command.name);
  return joined(names);
}

/// In single quotes, for bash and zsh.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text)
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + '\'';
}

/// The same for fish.
std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text)
    out += (c == '\'' || c == '\\' ? "\\" : "") + std::string(1, c);
  return out + '\'';
}

// Words of a command by their place; $1 is what stands there, $2 the first word of the command.
constexpr const char* names_function =
    "_ebb_names() {\n"
    "  case $1 in\n"
    "    STREAM) ebb __names streams 2>/dev/null ;;\n"
    "    TOPIC*) ebb __names topics 2>/dev/null ;;\n"
    "    KIND) printf '%s\\n' streams topics functions wakes decisions errors checkpoints ;;\n"
    "    NAME) case $2 in\n"
    "        stream*|wakes|decisions|errors|checkpoints) ebb __names streams 2>/dev/null ;;\n"
    "        topic*|function*) ebb __names \"$2\" 2>/dev/null ;;\n"
    "      esac ;;\n"
    "    SHELL) printf '%s\\n' bash zsh fish ;;\n"
    "  esac\n"
    "}\n";

std::string bash_script(const std::vector<command_words>& commands) {
  std::string text = names_function;
  text += "_ebb() {\n"
          "  local word=${COMP_WORDS[COMP_CWORD]} options= below= places= first= place=0 i\n"
          "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "    COMPREPLY=($(compgen -W '"
          + names_of(commands)
          + "' -- \"$word\"))\n"
            "    return\n"
            "  fi\n"
            "  case ${COMP_WORDS[1]} in\n";
  for (const auto& command : commands) {
    text += "    " + command.name + ") options='" + joined(command.options) + '\'';
    if (!command.below.empty())
      text += " below='" + joined(command.below) + '\'';
    if (!command.places.empty())
      text += " places='" + joined(command.places) + '\'';
    text += " ;;\n";
  }
  return text
         + "  esac\n"
           "  for ((i = 2; i < COMP_CWORD; i++)); do\n"
           "    case ${COMP_WORDS[i]} in\n"
           "      -*) ;;\n"
           "      *) first=${first:-${COMP_WORDS[i]}}; place=$((place + 1)) ;;\n"
           "    esac\n"
           "  done\n"
           "  places=($places)\n"
           "  local last=${COMP_WORDS[COMP_CWORD - 1]} what=${places[place]}\n"
           "  case $last in\n"
           "    -f|--filename|--data|--ca|--token-file|--stats) what=FILE ;;\n"
           "  esac\n"
           "  if [ -n \"$below\" ] && [ \"$COMP_CWORD\" -eq 2 ]; then\n"
           "    COMPREPLY=($(compgen -W \"$below\" -- \"$word\"))\n"
           "    return\n"
           "  fi\n"
           "  case $word,$what in\n"
           "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
           "    *,STREAM|*,TOPIC*|*,KIND|*,NAME|*,SHELL)\n"
           "      compopt +o filenames 2>/dev/null\n"
           "      COMPREPLY=($(compgen -W \"$(_ebb_names \"$what\" \"$first\")\" -- \"$word\")) "
           ";;\n"
           "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
           "  esac\n"
           "}\n"
           "complete -o filenames -F _ebb ebb\n";
}

std::string zsh_script(const std::vector<command_words>& commands) {
  std::string text = std::string("#compdef ebb\n") + names_function
                     + "_ebb() {\n  if (( CURRENT == 2 )); then\n    local -a commands\n"
                       "    commands=(\n";
  for (const auto& command : commands)
    text += "      " + quoted(command.name + ':' + command.description) + '\n';
  text += "    )\n    _describe command commands\n    return\n  fi\n"
          "  local first= i\n  local -a flags below places\n  integer place=1\n"
          "  case ${words[2]} in\n";
  for (const auto& command : commands)
    text += "    " + command.name + ") flags=(" + joined(command.options) + ") below=("
            + joined(command.below) + ") places=(" +
            [&] {
              std::vector<std::string> all;
              for (const auto& x : command.places)
                all.push_back(quoted(x));
              return joined(all);
            }()
            + ") ;;\n";
  return text
         + "  esac\n"
           "  for i in ${words[3,CURRENT-1]}; do\n"
           "    [[ $i == -* ]] && continue\n"
           "    first=${first:-$i}\n"
           "    place+=1\n"
           "  done\n"
           "  if (( CURRENT == 3 && $#below )); then\n"
           "    compadd -- $below\n"
           "    return\n"
           "  fi\n"
           "  [[ ${words[CURRENT]} == -* ]] && compadd -- $flags && return\n"
           "  case ${places[place]} in\n"
           "    STREAM|TOPIC*|KIND|NAME|SHELL)\n"
           "      compadd -- ${(f)\"$(_ebb_names \"${places[place]}\" \"$first\")\"} ;;\n"
           "    *) _files ;;\n"
           "  esac\n"
           "}\ncompdef _ebb ebb\n";
}

/// What fish offers for words of a command; empty = files.
std::string fish_words(const std::vector<std::string>& places) {
  std::string text;
  for (const auto& place : places)
    if (place == "STREAM")
      text += " (ebb __names streams 2>/dev/null)";
    else if (place.rfind("TOPIC", 0) == 0)
      text += " (ebb __names topics 2>/dev/null)";
    else if (place == "KIND")
      text += " streams topics functions wakes decisions errors checkpoints"
              " (ebb __names streams 2>/dev/null) (ebb __names topics 2>/dev/null)";
    else if (place == "SHELL")
      text += " bash zsh fish";
  return text;
}

std::string fish_script(const std::vector<command_words>& commands) {
  std::string text;
  for (const auto& command : commands) {
    text += "complete -c ebb -n __fish_use_subcommand -f -a " + command.name + " -d "
            + fish_quoted(command.description) + '\n';
    const auto seen = "complete -c ebb -n '__fish_seen_subcommand_from " + command.name + '\'';
    const auto words = joined(command.below) + fish_words(command.places);
    if (!words.empty())
      text += seen + " -f -a " + fish_quoted(words) + '\n';
    for (const auto& option : command.options)
      text += seen + " -l " + option.substr(2) + '\n';
  }
  return text;
}

} // namespace

int completion_command(const std::string& shell, const CLI::App& app) {
  const auto commands = words_of(app);
  const auto text = shell == "bash"  ? bash_script(commands)
                    : shell == "zsh" ? zsh_script(commands)
                                     : fish_script(commands);
  std::fputs(text.c_str(), stdout);
  return exit_done;
}

} // namespace ebb::cli
