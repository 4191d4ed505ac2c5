import LocatedText

/// Which column of a point list holds what, by the words of its first row.
struct PointListColumns {
    enum Column: CaseIterable {
        case key, name, address, function, type, order, scale, unit, doc

        /// The words by which a head is known, lower case and without blanks.
        var words: [String] {
            switch self {
            case .key: ["key", "point", "键", "量"]
            case .name: ["name", "名称", "参数", "参数名称", "数据项", "点名", "点位", "点位名称", "parameter"]
            case .address: ["address", "addr", "register", "地址", "寄存器", "寄存器地址"]
            case .function: ["function", "functioncode", "fc", "area", "功能码", "区"]
            case .type: ["type", "datatype", "类型", "数据类型", "数据格式"]
            case .order: ["order", "byteorder", "wordorder", "字节序", "字序"]
            case .scale: ["scale", "factor", "倍率", "系数", "比例", "分辨率"]
            case .unit: ["unit", "单位"]
            case .doc: ["doc", "note", "remark", "description", "说明", "备注", "描述"]
            }
        }
    }

    private var indices: [Column: Int] = [:]
    /// Whether the head of the addresses says that they are hexadecimal.
    private(set) var isHexadecimal = false
    /// Heads that mean nothing here; their columns are not read.
    private(set) var unused: [PointListText.Cell] = []

    init(_ head: [PointListText.Cell], faults: FaultCollector) {
        for (index, cell) in head.enumerated() where !cell.text.isEmpty {
            let word = Self.normalised(cell.text)
            guard let column = Column.allCases.first(where: { $0.words.contains(word) }) else {
                unused.append(cell)
                continue
            }
            if column == .address {
                let head = cell.text.lowercased()
                isHexadecimal = ["hex", "十六进制", "16进制"].contains(where: head.contains)
            }
            if indices.updateValue(index, forKey: column) != nil {
                faults.add(
                    cell.location, "'\(cell.text)' is the second column of that meaning",
                    remedy: "leave one of them")
            }
        }
        guard let first = head.first else { return }
        if indices[.address] == nil {
            faults.add(
                first.location, "no column holds the addresses",
                remedy: "head it 地址 or address; heads are: \(Self.accepted)")
        }
        if indices[.key] == nil, indices[.name] == nil {
            faults.add(
                first.location, "no column holds names or keys",
                remedy: "head it 名称, name or key; heads are: \(Self.accepted)")
        }
    }

    /// What each column may be called.
    static var accepted: String {
        Column.allCases.map { $0.words.prefix(4).joined(separator: "/") }.joined(separator: ", ")
    }

    /// The cell of a row, nil if it is empty or missing.
    func cell(_ column: Column, of row: [PointListText.Cell]) -> PointListText.Cell? {
        guard let index = indices[column], index < row.count, !row[index].text.isEmpty else {
            return nil
        }
        return row[index]
    }

    /// `Function Code (hex)` and `功能码（十六进制）` become `functioncode` and `功能码`.
    private static func normalised(_ text: String) -> String {
        let head = text.prefix { !"(（[".contains($0) }
        return String(head.filter { !" _-".contains($0) }).lowercased()
    }
}
