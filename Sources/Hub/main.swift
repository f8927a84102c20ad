// The program `hub`: one word of the command line says what this process is.
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#endif

exit(runCommand(Array(CommandLine.arguments.dropFirst())))
