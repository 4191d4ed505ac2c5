import FuzzCases
import Glibc

// libFuzzer around the case that FUZZ_CASE names; the arguments go to libFuzzer. Without a name the
// cases are listed.

typealias Callback = @convention(c) (UnsafePointer<UInt8>, Int) -> Int32

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ callback: Callback
) -> Int32

guard chosen != nil else {
    for one in FuzzCase.all { print(one.name) }
    exit(getenv("FUZZ_CASE") == nil ? 0 : 64)
}
var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
exit(runDriver(&count, &arguments) { tryInput($0, $1) })
