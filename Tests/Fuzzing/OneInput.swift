import FuzzCases
import Glibc

/// The case that FUZZ_CASE names.
let chosen: FuzzCase? = {
    let wanted = getenv("FUZZ_CASE").map { String(cString: $0) }
    return FuzzCase.all.first { $0.name == wanted }
}()

/// What libFuzzer calls for each input.
func tryInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    guard let chosen else { return -1 }
    do {
        try chosen.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    } catch {
        fatalError("\(chosen.name): \(error)")
    }
    return 0
}

/// libFuzzer's own `main`, which is linked and never runs, wants a function of this name.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    tryInput(bytes, count)
}
