// Completion scripts, made from the same command tree that parses the arguments.

#include "tools/cli/commands.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace ebb::cli {

namespace {

struct command_words {
  std::string name, description;
  std::vector<std::string> options;
};

std::vector<command_words> words_of(const CLI::App& app) {
  std::vector<command_words> result;
  for (const auto* command : app.get_subcommands({})) {
    command_words words{command->get_name(), command->get_description(), {}};
    for (const auto* option : command->get_options())
      for (const auto& name : option->get_lnames())
        words.options.push_back("--" + name);
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

std::string bash_script(const std::vector<command_words>& commands) {
  std::string text = "_ebb() {\n"
                     "  local word=${COMP_WORDS[COMP_CWORD]} options=\n"
                     "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                     "    COMPREPLY=($(compgen -W '"
                     + names_of(commands)
                     + "' -- \"$word\"))\n"
                       "    return\n"
                       "  fi\n"
                       "  case ${COMP_WORDS[1]} in\n";
  for (const auto& command : commands)
    text += "    " + command.name + ") options='" + joined(command.options) + "' ;;\n";
  return text
         + "  esac\n"
           "  case $word in\n"
           "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
           "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
           "  esac\n"
           "}\n"
           "complete -o filenames -F _ebb ebb\n";
}

std::string zsh_script(const std::vector<command_words>& commands) {
  std::string text =
      "#compdef ebb\n_ebb() {\n  if (( CURRENT == 2 )); then\n    local -a commands\n"
      "    commands=(\n";
  for (const auto& command : commands)
    text += "      '" + command.name + ':' + command.description + "'\n";
  text += "    )\n    _describe command commands\n    return\n  fi\n  case ${words[2]} in\n";
  for (const auto& command : commands)
    text += "    " + command.name + ") compadd -- " + joined(command.options) + "; _files ;;\n";
  return text + "  esac\n}\ncompdef _ebb ebb\n";
}

std::string fish_script(const std::vector<command_words>& commands) {
  std::string text;
  for (const auto& command : commands) {
    text += "complete -c ebb -n __fish_use_subcommand -f -a " + command.name + " -d '"
            + command.description + "'\n";
    for (const auto& option : command.options)
      text += "complete -c ebb -n '__fish_seen_subcommand_from " + command.name + "' -l "
              + option.substr(2) + '\n';
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
