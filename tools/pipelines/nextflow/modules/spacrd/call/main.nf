process SPACRD_CALL {
    tag "$meta.id"
    label 'process_medium'

    conda "${moduleDir}/environment.yml"
    container "${ params.spacrd_container ?: 'spacrd:0.1.0' }"

    input:
    tuple val(meta), path(section), path(image), path(alignment)
    val detector

    output:
    tuple val(meta), path("${prefix}"),              emit: results
    tuple val(meta), path("${prefix}/*.spots.csv"),  emit: spots
    tuple val(meta), path("${prefix}/*.geojson"),    emit: geojson
    tuple val(meta), path("${prefix}/report.html"),  emit: report
    tuple val(meta), path("${prefix}.json"),         emit: summary
    path "versions.yml",                             emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    def image_option = image ? "--image ${image}" : ''
    def alignment_option = alignment ? "--alignment ${alignment}" : ''
    """
    export TMPDIR=\$PWD
    spacrd call ${section} \\
        --name ${prefix} \\
        --detector ${detector ?: 'prior'} \\
        --output ${prefix} \\
        ${image_option} \\
        ${alignment_option} \\
        ${args} \\
        --json > ${prefix}.json

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        spacrd: \$(spacrd --version | sed 's/spacrd //')
    END_VERSIONS
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    mkdir ${prefix}
    touch ${prefix}/${prefix}.spots.csv ${prefix}/${prefix}.geojson ${prefix}/report.html
    echo '{}' > ${prefix}.json

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        spacrd: \$(spacrd --version | sed 's/spacrd //')
    END_VERSIONS
    """
}
