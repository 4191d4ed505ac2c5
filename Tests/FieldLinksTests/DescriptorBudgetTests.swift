import FieldLinks
import Glibc
import Testing

@Suite("The budget of file descriptors")
struct DescriptorBudgetTests {
    @Test("the budgets share out the cap")
    func budgets() throws {
        let limit = try DescriptorBudget.capProcess()
        #expect(limit <= DescriptorBudget.cap)
        var limits = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
        #expect(Int(limits.rlim_cur) == limit)
        let sum = DescriptorBudget.User.allCases.map(DescriptorBudget.budget(of:)).reduce(0, +)
        #expect(sum <= limit)
    }

    @Test("a user beyond its budget is told who, how many, and what to do")
    func exceeded() throws {
        let budget = DescriptorBudget.budget(of: .spare)
        try DescriptorBudget.acquire(.spare, count: budget)
        defer { DescriptorBudget.release(.spare, count: budget) }
        #expect {
            try DescriptorBudget.acquire(.spare)
        } throws: { error in
            "\(error)".hasPrefix("spare may hold \(budget) file descriptors")
                && "\(error)".contains("configure fewer")
        }
        #expect(DescriptorBudget.held(by: .spare) == budget)
    }
}
