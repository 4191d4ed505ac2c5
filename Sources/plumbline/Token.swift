import ArgumentParser
import Foundation
import WebAPI

/// `plumbline token`: lets a person or a program give instructions.
struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say(
            "Makes a token with which somebody may act on alarms.", "生成一个可处理报警的令牌。"),
        discussion: say(
            """
            Example: plumbline token --name li.wei --role operator
            The token is shown once and kept nowhere. Put the line below it into a file that begins
            with 'format: api-tokens/1' and 'tokens:', and name that file in the configuration:
            'api: { listen: 127.0.0.1:8420, tokens: tokens.yaml }'.
            """,
            """
            示例：plumbline token --name li.wei --role operator
            令牌只显示一次，不保存在任何地方。把它下面那一行写入一个以 'format: api-tokens/1' 和
            'tokens:' 开头的文件，并在配置中引用：'api: { listen: 127.0.0.1:8420, tokens: tokens.yaml }'。
            """))

    @Option(
        help: ArgumentHelp(
            say("Whose name stands under what is done with it.", "操作记录中的署名。")))
    var name: String

    @Option(
        help: ArgumentHelp(
            say("viewer, operator or administrator.", "viewer、operator 或 administrator。")))
    var role: String = "operator"

    func run() async throws {
        try await reportingFailures {
            guard let role = AccessTokens.Role(rawValue: role) else {
                throw Failure.badInput(
                    say(
                        "'\(role)' is no role; one of viewer, operator, administrator",
                        "'\(role)' 不是角色；可选 viewer、operator、administrator"))
            }
            let isName =
                (1...64).contains(name.utf8.count)
                && name.utf8.allSatisfy {
                    (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0)
                        || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F
                }
            guard isName else {
                throw Failure.badInput(
                    say(
                        "a name has 1 to 64 letters, digits, '.', '-' and '_'",
                        "名称为 1 到 64 个字母、数字、'.'、'-' 和 '_'"))
            }
            var generator = SystemRandomNumberGenerator()
            let random = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let made = AccessTokens.make(name: name, role: role, random: random)
            print(say("The token, shown this once:", "令牌（仅显示这一次）："))
            print("  \(made.token)")
            print(say("The line for the file of tokens:", "写入令牌文件的一行："))
            print(made.line)
        }
    }
}
