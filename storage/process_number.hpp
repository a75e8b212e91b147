/// A process number of our own, where the system's is not enough.
#pragma once

namespace ebb {

/// From now on getpid() says `number`, to this process's libraries as well; not to the system.
///
/// LMDB notes readers of a file by their process's number, and locks a byte at it. In containers
/// that share a volume every process has the number 1, so each needs another one: above those that
/// the system gives out (4194304), and the same in no two processes that live at a time.
void use_process_number(int number) noexcept;

} // namespace ebb
