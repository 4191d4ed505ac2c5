import Telemetry

/// The terms of the vocabulary that the simulated world can answer for.
enum Key {
    static let loadMass = PointKey("load_mass")
    static let ratedLoadMass = PointKey("rated_load_mass")
    static let loadRatio = PointKey("load_ratio")
    static let momentRatio = PointKey("load_moment_ratio")
    static let radius = PointKey("trolley_radius")
    static let height = PointKey("hook_height")
    static let slewAngle = PointKey("slew_angle")
    static let tiltX = PointKey("tilt.x")
    static let ropeFalls = PointKey("rope_falls")
    static let workStatus = PointKey("work_status")
    static let alarmLoad = PointKey("alarm_load")
    static let alarmMoment = PointKey("alarm_moment")
    static let alarmWind = PointKey("alarm_wind")
    static let alarmHeight = PointKey("alarm_height")
    static let alarmRadiusInner = PointKey("alarm_radius_inner")
    static let alarmRadiusOuter = PointKey("alarm_radius_outer")
    static let alarmSlewLeft = PointKey("alarm_slew_left")
    static let alarmSlewRight = PointKey("alarm_slew_right")
    static let alarmTilt = PointKey("alarm_tilt")
    static let alarmCollision = PointKey("alarm_collision")
    static let alarmNoEntry = PointKey("alarm_no_entry")

    static let windSpeed = PointKey("wind_speed")
    static let windForce = PointKey("wind_force")
    static let windDirection = PointKey("wind_direction")
    static let temperature = PointKey("air_temperature")
    static let humidity = PointKey("relative_humidity")
    static let pressure = PointKey("air_pressure")
    static let soundLevel = PointKey("sound_level")
    static let pm2_5 = PointKey("pm2_5")
    static let pm10 = PointKey("pm10")
    static let tsp = PointKey("tsp")
    static let illuminance = PointKey("illuminance")
    static let rainfall = PointKey("rainfall")

    static let phases = ["l1", "l2", "l3"]
    static let frequency = PointKey("frequency")
    static let voltage = phases.map { PointKey("voltage.\($0)") }
    static let current = phases.map { PointKey("current.\($0)") }
    static let activePower = phases.map { PointKey("active_power.\($0)") }
    static let activePowerTotal = PointKey("active_power.total")
    static let directCurrentPower = PointKey("dc_power")
    static let reactivePower = phases.map { PointKey("reactive_power.\($0)") }
    static let reactivePowerTotal = PointKey("reactive_power.total")
    static let apparentPower = phases.map { PointKey("apparent_power.\($0)") }
    static let apparentPowerTotal = PointKey("apparent_power.total")
    static let powerFactor = phases.map { PointKey("power_factor.\($0)") }
    static let powerFactorTotal = PointKey("power_factor.total")
    static let energyImport = phases.map { PointKey("active_energy.import.\($0)") }
    static let energyImportTotal = PointKey("active_energy.import.total")
    static let energyExport = phases.map { PointKey("active_energy.export.\($0)") }
    static let energyExportTotal = PointKey("active_energy.export.total")
    static let energyBothTotal = PointKey("active_energy.both.total")
    static let energyNetTotal = PointKey("active_energy.net.total")
    static let reactiveEnergyImportTotal = PointKey("reactive_energy.import.total")
    static let reactiveEnergyExportTotal = PointKey("reactive_energy.export.total")
    static let reactiveEnergyBothTotal = PointKey("reactive_energy.both.total")
}
