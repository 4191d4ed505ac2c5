/// One threshold of the self-diagnosis; the raw value is its name in `diagnosis/1`.
///
/// What each one means is told in `docs/formats/diagnosis.md`; its value is data.
package enum DiagnosisFigure: String, Hashable, Sendable, CaseIterable {
    case completeness
    case loadedCurrent = "loaded_current"
    case loadedHours = "loaded_hours"
    case believedPowerFactor = "believed_power_factor"
    case highQuantile = "high_quantile"

    case stuckPower = "stuck_power"
    case stuckHours = "stuck_hours"
    case stuckEnergy = "stuck_energy"
    case stuckSteps = "stuck_steps"
    case frozenHours = "frozen_hours"
    case silentHours = "silent_hours"

    case swapTolerance = "swap_tolerance"
    case swapShare = "swap_share"
    case swapPowerFactor = "swap_power_factor"
    case reversedPowerFactor = "reversed_power_factor"
    case reversedShare = "reversed_share"
    case reversedExport = "reversed_export"

    case ratioTolerance = "ratio_tolerance"
    case ratioSpread = "ratio_spread"
    case ratioFamilyTolerance = "ratio_family_tolerance"
    case ratioFamilySpread = "ratio_family_spread"
    case ratioNear = "ratio_near"
    case ratioDays = "ratio_days"
    case ratioEnergy = "ratio_energy"
    case ratioSwing = "ratio_swing"
    case ratioSteps = "ratio_steps"
    case ratioHighQuantile = "ratio_high_quantile"
    case ratioLoadShare = "ratio_load_share"
    case usualPrimaries = "usual_primaries"
    case usualSecondaries = "usual_secondaries"

    case defaultClass = "default_class"
    case transformerError = "transformer_error"
    case balanceDays = "balance_days"
    case balanceShare = "balance_share"
    case balanceCertain = "balance_certain"
    case unaccountedWindow = "unaccounted_window"
    case unaccountedRise = "unaccounted_rise"
    case unaccountedGrowth = "unaccounted_growth"

    case nightFrom = "night_from"
    case nightTo = "night_to"
    case jumpNights = "jump_nights"
    case jumpEnergy = "jump_energy"
    case jumpShare = "jump_share"
    case jumpSpread = "jump_spread"
    case jumpFloor = "jump_floor"
    case jumpGain = "jump_gain"
    case jumpAbruptness = "jump_abruptness"
    case jumpUseChange = "jump_use_change"

    case leakFlow = "leak_flow"
    case leakNights = "leak_nights"
    case leakRecent = "leak_recent"
    case leakSteadiness = "leak_steadiness"

    case powerFactorLimit = "power_factor_limit"
    case powerFactorTarget = "power_factor_target"
    case powerFactorEnergy = "power_factor_energy"
    case lowLoadShare = "low_load_share"

    case imbalanceLimit = "imbalance_limit"
    case imbalanceShare = "imbalance_share"
    case imbalanceCurrent = "imbalance_current"

    case implausibleMargin = "implausible_margin"

    case lookUnaccounted = "look_unaccounted"
    case lookComplete = "look_complete"

    /// The unit in which it is written, empty for a plain number.
    package var unit: String {
        switch self {
        case .completeness, .swapShare, .reversedShare, .ratioTolerance, .ratioSpread,
            .ratioFamilyTolerance, .ratioFamilySpread, .ratioSwing, .ratioNear, .defaultClass,
            .transformerError, .balanceShare,
            .unaccountedRise, .unaccountedGrowth, .jumpShare, .jumpGain, .jumpAbruptness,
            .jumpUseChange, .leakSteadiness, .lowLoadShare, .imbalanceLimit, .imbalanceShare,
            .implausibleMargin, .highQuantile, .ratioHighQuantile, .ratioLoadShare, .jumpFloor,
            .lookUnaccounted, .lookComplete:
            "%"
        case .loadedCurrent, .imbalanceCurrent, .usualPrimaries, .usualSecondaries: "A"
        case .loadedHours, .stuckHours, .frozenHours, .silentHours, .leakRecent, .nightFrom,
            .nightTo:
            "h"
        case .stuckPower: "kW"
        case .stuckEnergy, .ratioEnergy, .jumpEnergy, .powerFactorEnergy: "kWh"
        case .ratioDays, .balanceDays, .unaccountedWindow, .jumpNights, .leakNights: "d"
        case .leakFlow: "L/h"
        case .stuckSteps, .swapTolerance, .reversedPowerFactor, .jumpSpread,
            .powerFactorLimit, .powerFactorTarget, .believedPowerFactor, .swapPowerFactor,
            .reversedExport, .ratioSteps, .balanceCertain:
            ""
        }
    }

    /// What can be meant; outside it is a slip of the pen.
    package var range: ClosedRange<Exact> {
        func range(_ low: Int, _ high: Int) -> ClosedRange<Exact> { Exact(low)...Exact(high) }
        return switch self {
        case .completeness, .lookComplete, .highQuantile, .ratioHighQuantile: range(50, 100)
        case .ratioLoadShare: range(1, 100)
        case .jumpFloor, .lookUnaccounted: range(0, 100)
        case .believedPowerFactor: Exact(1)...Exact(2)
        case .swapPowerFactor: Exact(0)...Exact(9, over: 10)
        case .balanceCertain: range(1, 1000)
        case .reversedExport: range(1, 1_000_000)
        case .leakRecent: range(0, 10_000)
        case .swapShare, .reversedShare, .balanceShare, .imbalanceShare: range(10, 100)
        case .ratioTolerance, .ratioFamilyTolerance, .ratioSpread, .ratioFamilySpread, .ratioNear,
            .ratioSwing:
            Exact(1, over: 10)...Exact(50)
        case .defaultClass, .transformerError: range(0, 20)
        case .unaccountedRise, .jumpShare, .jumpGain, .jumpAbruptness, .jumpUseChange,
            .leakSteadiness, .lowLoadShare:
            range(1, 100)
        case .unaccountedGrowth, .imbalanceLimit, .implausibleMargin: range(1, 1000)
        case .loadedCurrent, .imbalanceCurrent: Exact(1, over: 100)...Exact(10_000)
        case .usualPrimaries, .usualSecondaries: Exact(1, over: 10)...Exact(100_000)
        case .loadedHours, .stuckHours, .frozenHours, .silentHours: range(2, 10_000)
        case .nightFrom: range(0, 22)
        case .nightTo: range(2, 24)
        case .stuckPower: Exact(1, over: 1000)...Exact(100_000)
        case .stuckEnergy, .ratioEnergy, .jumpEnergy: Exact(1, over: 10)...Exact(1_000_000)
        case .powerFactorEnergy: range(0, 10_000_000)
        case .ratioDays, .balanceDays, .leakNights: range(3, 366)
        case .unaccountedWindow, .jumpNights: range(7, 366)
        case .leakFlow: Exact(1, over: 10)...Exact(1_000_000)
        case .stuckSteps, .ratioSteps, .jumpSpread: range(1, 1000)
        case .swapTolerance: Exact(1, over: 100)...Exact(2, over: 5)
        case .reversedPowerFactor: Exact(1, over: 10)...Exact(9, over: 10)
        case .powerFactorLimit, .powerFactorTarget: Exact(1, over: 2)...Exact(1)
        }
    }

    /// Whether it is a list of values instead of one.
    package var isList: Bool { self == .usualPrimaries || self == .usualSecondaries }
}

extension Diagnosis.Kind {
    /// The figures without which the diagnosis is off.
    package var figures: [DiagnosisFigure] {
        switch self {
        case .stuckCounter: [.completeness, .stuckPower, .stuckHours, .stuckEnergy, .stuckSteps]
        case .frozenGauges: [.frozenHours]
        case .silentMeter: [.silentHours]
        case .swappedPhases:
            [
                .completeness, .loadedCurrent, .loadedHours, .believedPowerFactor, .swapTolerance,
                .swapShare, .swapPowerFactor,
            ]
        case .reversedTransformer:
            [
                .completeness, .loadedCurrent, .loadedHours, .believedPowerFactor,
                .reversedPowerFactor, .reversedShare, .reversedExport,
            ]
        case .transformerRatio:
            [
                .completeness, .loadedCurrent, .loadedHours, .ratioTolerance, .ratioSpread,
                .ratioFamilyTolerance, .ratioFamilySpread, .ratioNear, .ratioDays, .ratioEnergy,
                .ratioSwing, .ratioSteps, .ratioHighQuantile, .ratioLoadShare,
                .usualPrimaries, .usualSecondaries,
            ]
        case .childrenExceedParent:
            [
                .completeness, .defaultClass, .transformerError, .balanceDays, .balanceShare,
                .balanceCertain,
            ]
        case .unaccountedRising:
            [.completeness, .unaccountedWindow, .unaccountedRise, .unaccountedGrowth]
        case .nightLoadJump:
            [
                .completeness, .nightFrom, .nightTo, .jumpNights, .jumpEnergy, .jumpShare,
                .jumpSpread, .jumpFloor, .jumpGain, .jumpAbruptness, .jumpUseChange,
            ]
        case .waterLeak:
            [.nightFrom, .nightTo, .leakFlow, .leakNights, .leakRecent, .leakSteadiness]
        case .lowPowerFactor:
            [
                .completeness, .powerFactorLimit, .powerFactorTarget, .powerFactorEnergy,
                .lowLoadShare, .highQuantile,
            ]
        case .phaseImbalance:
            [
                .completeness, .loadedHours, .imbalanceLimit, .imbalanceShare, .imbalanceCurrent,
                .highQuantile,
            ]
        case .implausibleIncrease: [.implausibleMargin]
        }
    }
}
